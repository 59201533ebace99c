# Berth for one machine or many: an ordinary user, nothing written outside /data, no package manager inside.
#
#   docker build -t berth .
#   docker run --read-only -p 127.0.0.1:8080:8080 -e BERTH_PUBLIC_URL=http://127.0.0.1:8080 -v berth:/data berth
#
# With DATABASE_URL and BERTH_S3_BUCKET nothing is kept in /data either; see docker-compose.yml.

FROM node:24-bookworm-slim AS install
WORKDIR /berth
COPY package.json package-lock.json .npmrc ./
# The Node for development machines is left out: the image has its own.
RUN npm ci --omit=dev && rm -rf node_modules/node-linux-* node_modules/.bin/node ~/.npm

FROM debian:bookworm-slim
LABEL org.opencontainers.image.title="Berth" \
      org.opencontainers.image.description="A hub for container images, Helm charts and files" \
      org.opencontainers.image.licenses="Apache-2.0"
# Postgres asks for a line in /etc/passwd, so running as another user needs DATABASE_URL.
RUN useradd --uid 10001 --no-create-home --home-dir /data --shell /usr/sbin/nologin berth \
 && install -d -o berth -g berth -m 700 /data \
 && install -d -o berth -g berth /berth/node_modules/.cache
COPY --from=install /usr/local/bin/node /usr/local/bin/node
WORKDIR /berth
COPY --from=install /berth ./
COPY . ./
USER 10001
RUN node scripts/warm-up.mjs
ENV NODE_ENV=production BERTH_HOST=0.0.0.0 BERTH_DATA_DIR=/data
VOLUME /data
EXPOSE 8080
HEALTHCHECK --start-period=30s --interval=10s --timeout=5s CMD ["node", "-e", \
  "fetch(`http://127.0.0.1:${process.env.BERTH_PORT ?? 8080}/readyz`).then((answer) => process.exit(answer.ok ? 0 : 1), () => process.exit(1))"]
ENTRYPOINT ["node", "/berth/bin/berth.mjs"]
CMD ["serve"]
