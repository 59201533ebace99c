#!/usr/bin/env node
import { once } from "node:events";
import { createReadStream } from "node:fs";
import http from "node:http";
import https from "node:https";
import { setTimeout } from "node:timers/promises";
import { randomBytes } from "node:crypto";
import { mkdir, open, readFile, rename, rm } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";

// cli/src/errors.ts
/** What went wrong, with the exit code that says so to a script. */
/** Exit codes, for scripts. 130 is for Ctrl-C. */
const EXIT = {
	ok: 0,
	failure: 1,
	usage: 2,
	notFound: 3,
	auth: 4,
	conflict: 5,
	policy: 6,
	interrupted: 130
};
var CliError = class extends Error {
	name = "CliError";
	exitCode;
	constructor(message, exitCode = EXIT.failure) {
		super(message);
		this.exitCode = exitCode;
	}
};
function usage(message) {
	return new CliError(message, EXIT.usage);
}
/** An answer of the hub that is not the one hoped for. */
var HubError = class extends CliError {
	status;
	/** The last part of a problem's type, or a code of /v2: `checksum-mismatch`, `DIGEST_INVALID`. */
	code;
	constructor(status, code, sentence, requestId) {
		super(`${sentence}${requestId === void 0 ? "" : ` (request ${requestId})`}`, exitCodeOf(status, code));
		this.status = status;
		this.code = code;
	}
};
function exitCodeOf(status, code) {
	if (/policy|quota/i.test(code)) return EXIT.policy;
	if (status === 401 || status === 403) return EXIT.auth;
	if (status === 404) return EXIT.notFound;
	if (status === 409 || status === 412) return EXIT.conflict;
	return EXIT.failure;
}
/** Text from elsewhere, on one line, without what a terminal would obey. */
function printable(text) {
	return text.replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu, " ").trim();
}

// cli/src/http.ts
/** Requests to a hub: one at a time, or tried again when the hub or the line was only busy. */
/** The line was cut, or nobody listens: another try may succeed. */
var Unreachable = class extends CliError {
	name = "CliError";
};
/** Neither a byte nor an answer for this long. */
const IDLE_MS = 12e4;
const LONGEST_TEXT = 67108864;
const LONGEST_WAIT_MS = 6e4;
const MOST_REDIRECTS = 3;
const BUSY = /* @__PURE__ */ new Set([
	429,
	502,
	503,
	504
]);
var Hub = class {
	origin;
	#authorization;
	#retries;
	#say;
	#agents;
	constructor(options) {
		this.origin = options.origin;
		this.#authorization = options.authorization;
		this.#retries = options.retries;
		this.#say = options.say;
		this.#agents = {
			http: new http.Agent({ keepAlive: true }),
			https: new https.Agent({ keepAlive: true })
		};
	}
	/** One try. @throws {Unreachable} */
	async send(ask) {
		let url = new URL(ask.path, this.origin);
		for (let hops = 0;; hops++) {
			const answer = await this.#exchange(url, ask);
			const location = answer.header("location");
			if (![
				301,
				302,
				303,
				307,
				308
			].includes(answer.status) || location === void 0) return answer;
			answer.message.resume();
			if (ask.method !== "GET" && ask.method !== "HEAD") throw new CliError(`${url.origin} redirects; use its new address`);
			const next = new URL(location, url);
			const safe = next.protocol === url.protocol || next.protocol === "https:";
			if (hops >= MOST_REDIRECTS || !safe) throw new CliError(`${url.origin} redirects to where Berth does not follow`);
			url = next;
		}
	}
	/**
	* Tries again, later and later, while the hub is busy or cannot be reached. `work` is one try, which throws or answers;
	* what it tells with `progressed` makes the count begin anew.
	*/
	async persist(what, work) {
		for (let tries = 1;; tries++) try {
			return await work(() => tries = 1);
		} catch (error) {
			const wait = waitOf(error, tries);
			if (wait === void 0 || tries > this.#retries) throw error;
			this.#say(`${what}: ${error.message}; trying again${wait < 1e3 ? "" : ` in ${Math.round(wait / 1e3)} s`}`);
			await setTimeout(wait);
		}
	}
	/** A request that may be repeated. @throws {HubError} unless the status is one of those that are expected, or 2xx */
	ask(ask, expected = []) {
		return this.persist(`${ask.method} ${new URL(ask.path, this.origin).pathname}`, async () => {
			return accept(await this.send(ask), expected);
		});
	}
	/** JSON of the hub. */
	async json(method, path, body) {
		const text = await (await this.ask({
			method,
			path,
			headers: {
				Accept: "application/json",
				...body !== void 0 && { "Content-Type": "application/json" }
			},
			...body !== void 0 && { body: Buffer.from(JSON.stringify(body)) }
		})).text();
		try {
			return text === "" ? void 0 : JSON.parse(text);
		} catch {
			throw new CliError(`${this.origin} did not answer as a Berth hub does; look at its address`);
		}
	}
	/** All pages of a list under /api/v1. */
	async list(path) {
		const items = [];
		let cursor;
		do {
			const query = new URLSearchParams({
				limit: "200",
				...cursor !== void 0 && { cursor }
			});
			const page = await this.json("GET", `${path}?${query.toString()}`);
			items.push(...page.items);
			cursor = page.next_cursor ?? void 0;
		} while (cursor !== void 0);
		return items;
	}
	close() {
		this.#agents.http.destroy();
		this.#agents.https.destroy();
	}
	async #exchange(url, { method, headers = {}, body }) {
		const module = url.protocol === "https:" ? https : http;
		const length = body === void 0 ? void 0 : Buffer.isBuffer(body) ? body.length : body.end - body.start + 1;
		const asksFirst = length !== void 0 && length > 1048576;
		const request = module.request(url, {
			method,
			agent: url.protocol === "https:" ? this.#agents.https : this.#agents.http,
			headers: {
				"User-Agent": "berth",
				...this.#authorization !== void 0 && url.origin === this.origin && { Authorization: this.#authorization },
				...headers,
				...length !== void 0 && { "Content-Length": String(length) },
				...asksFirst && { Expect: "100-continue" }
			}
		});
		request.setTimeout(IDLE_MS, () => request.destroy(/* @__PURE__ */ new Error(`nothing came for ${IDLE_MS / 1e3} s`)));
		let early = false;
		const answered = once(request, "response").then(([message]) => {
			early = true;
			return message;
		});
		answered.catch(() => {});
		try {
			if (length === void 0 || length === 0) request.end();
			else if (Buffer.isBuffer(body)) request.end(body);
			else {
				if (asksFirst) {
					request.flushHeaders();
					await Promise.race([
						once(request, "continue"),
						answered,
						setTimeout(2e3, void 0, { ref: false })
					]);
				}
				if (!early) await sendFile(request, body, answered);
			}
			const message = await answered;
			if (!request.writableEnded) message.once("close", () => request.destroy());
			return toAnswer(message);
		} catch (error) {
			request.destroy();
			throw unreachable(url, error);
		}
	}
};
/** Sends until the end, or until the answer comes: a refusal does not wait for the rest. */
async function sendFile(request, body, answered) {
	const bytes = createReadStream(body.file, {
		start: body.start,
		end: body.end,
		highWaterMark: 262144
	});
	let over = false;
	answered.then(() => over = true, () => over = true);
	let left = body.end - body.start + 1;
	try {
		for await (const chunk of bytes) {
			if (over) return;
			left -= chunk.length;
			if (!request.write(chunk)) await Promise.race([once(request, "drain"), answered]);
			body.sent(chunk.length);
		}
	} finally {
		bytes.destroy();
	}
	if (left !== 0) throw new CliError(`${body.file} became shorter while it was read`);
	request.end();
}
function toAnswer(message) {
	return {
		status: message.statusCode ?? 0,
		message,
		header(name) {
			const value = message.headers[name];
			return Array.isArray(value) ? value[0] : value;
		},
		async text() {
			const chunks = [];
			let size = 0;
			try {
				for await (const chunk of message) {
					size += chunk.length;
					if (size > LONGEST_TEXT) throw new CliError("The hub answers with more than a list can be");
					chunks.push(chunk);
				}
			} catch (error) {
				if (error instanceof CliError) throw error;
				throw new Unreachable("The connection was cut in the middle of an answer");
			}
			return Buffer.concat(chunks).toString("utf8");
		}
	};
}
/** @throws {HubError} */
async function accept(answer, expected = []) {
	if (answer.status < 300 || expected.includes(answer.status)) return answer;
	throw await toError(answer);
}
var Busy = class extends HubError {
	retryAfter;
	constructor(error, retryAfter) {
		super(error.status, error.code, error.message, void 0);
		this.retryAfter = retryAfter;
	}
};
async function toError(answer) {
	const { code, sentence } = explain(await answer.text().catch(() => ""));
	const requestId = answer.header("x-request-id");
	const said = sentence === "" ? `The answer was ${answer.status} ${answer.message.statusMessage ?? ""}` : sentence;
	const error = new HubError(answer.status, code, printable(said).slice(0, 500), requestId && printable(requestId));
	return BUSY.has(answer.status) ? new Busy(error, answer.header("retry-after")) : error;
}
/** Problem details, the errors of /v2, or a line of text. */
function explain(text) {
	try {
		const { type, detail, errors } = JSON.parse(text);
		const first = errors?.[0];
		return {
			code: type?.slice(type.lastIndexOf(":") + 1) ?? first?.code ?? "",
			sentence: detail ?? first?.message ?? ""
		};
	} catch {
		return {
			code: "",
			sentence: text.trimStart().startsWith("<") ? "" : text
		};
	}
}
/** How long to wait before the next try; undefined when trying again is of no use. */
function waitOf(error, tries) {
	const own = Math.min(LONGEST_WAIT_MS, 250 * 2 ** tries) * (.5 + Math.random() / 2);
	if (error instanceof Unreachable) return own;
	if (!(error instanceof Busy)) return void 0;
	const seconds = Number(error.retryAfter);
	const asked = Number.isFinite(seconds) ? seconds * 1e3 : Date.parse(error.retryAfter ?? "") - Date.now();
	return Number.isFinite(asked) && error.retryAfter !== void 0 ? Math.min(LONGEST_WAIT_MS, Math.max(0, asked)) : own;
}
function unreachable(url, error) {
	if (error instanceof CliError) return error;
	if (error.syscall === "open" || error.syscall === "read") {
		if (error.path !== void 0) return new CliError(`${error.path} cannot be read: ${error.message}`);
	}
	const said = error.code === "ECONNREFUSED" ? "nothing listens there" : printable(error.message || (error.code ?? ""));
	const sentence = `${url.origin} cannot be reached: ${said}`;
	return /^(?:ENOTFOUND|ERR_INVALID|CERT_|ERR_TLS|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO)/.test(error.code ?? "") ? new CliError(sentence, EXIT.failure) : new Unreachable(sentence);
}

// cli/src/settings.ts
function configFolder(env) {
	return join(env["XDG_CONFIG_HOME"] || join(homedir(), ".config"), "berth");
}
async function readSettings(env) {
	const file = join(configFolder(env), "credentials.json");
	let text;
	try {
		text = await readFile(file, "utf8");
	} catch (error) {
		if (error.code === "ENOENT") return { hubs: {} };
		throw new CliError(`${file} cannot be read: ${error.message}`);
	}
	try {
		const settings = JSON.parse(text);
		return {
			...settings,
			hubs: settings.hubs ?? {}
		};
	} catch {
		throw new CliError(`${file} is damaged; remove it and sign in again`);
	}
}
/** Whole or not at all, and never readable to others. */
async function writeSettings(env, settings) {
	const folder = configFolder(env);
	await mkdir(folder, {
		recursive: true,
		mode: 448
	});
	const file = join(folder, "credentials.json");
	const draft = `${file}.${randomBytes(4).toString("hex")}`;
	try {
		const handle = await open(draft, "wx", 384);
		try {
			await handle.writeFile(`${JSON.stringify(settings, void 0, 2)}\n`);
			await handle.datasync();
		} finally {
			await handle.close();
		}
		await rename(draft, file);
	} catch (error) {
		await rm(draft, { force: true });
		throw error;
	}
}
/** `127.0.0.1:8080`, `hub.example.org` or a whole URL, as the origin of a hub. @throws {CliError} usage */
function originOf(text) {
	const loopback = /^(?:localhost|127\.\d+\.\d+\.\d+|\[::1\])(?::\d+)?(?:\/|$)/.test(text);
	const whole = /^[a-z]+:\/\//i.test(text) ? text : `${loopback ? "http" : "https"}://${text}`;
	const url = URL.canParse(whole) ? new URL(whole) : void 0;
	if (!url || !/^https?:$/.test(url.protocol)) throw usage(`${JSON.stringify(printable(text))} is no address of a hub`);
	return url.origin;
}
/** The value of an Authorization header. */
function basic({ username, secret }) {
	return `Basic ${Buffer.from(`${username}:${secret}`).toString("base64")}`;
}

// cli/src/docker-credential-berth.ts
/**
* docker's credential helper protocol over what `berth login` keeps: after it, docker needs no login of its own, and what
* `docker login` keeps is there for `berth`. A verb; something on standard input; an answer on standard output.
*/
const NOT_FOUND = "credentials not found in native keychain";
/** What docker calls a server: `127.0.0.1:8080`, with or without scheme and path. The scheme does not tell hubs apart. */
function hostOf(server) {
	return new URL(originOf(server.trim())).host;
}
async function main(verb, env) {
	const settings = await readSettings(env);
	const known = (host) => Object.keys(settings.hubs).filter((origin) => new URL(origin).host === host);
	switch (verb) {
		case "get": {
			const server = (await readInput()).trim();
			const host = hostOf(server);
			const kept = await fromEnvironment(env, host) ?? settings.hubs[known(host)[0] ?? ""];
			if (!kept) throw new CliError(NOT_FOUND);
			return JSON.stringify({
				ServerURL: server,
				Username: kept.username,
				Secret: kept.secret
			});
		}
		case "store": {
			const { ServerURL, Username, Secret } = JSON.parse(await readInput());
			if (!ServerURL || !Username || !Secret) throw new CliError("ServerURL, Username and Secret are needed");
			const origin = known(hostOf(ServerURL))[0] ?? originOf(ServerURL);
			await writeSettings(env, {
				...settings,
				hubs: {
					...settings.hubs,
					[origin]: {
						username: Username,
						secret: Secret
					}
				}
			});
			return "";
		}
		case "erase": {
			const gone = new Set(known(hostOf(await readInput())));
			const hubs = Object.entries(settings.hubs).filter(([origin]) => !gone.has(origin));
			if (gone.size > 0) await writeSettings(env, {
				...settings,
				hubs: Object.fromEntries(hubs)
			});
			return "";
		}
		case "list": return JSON.stringify(Object.fromEntries(Object.entries(settings.hubs).map(([origin, { username }]) => [origin, username])));
		default: throw new CliError("Usage: docker-credential-berth get | store | erase | list");
	}
}
/** docker has to name the owner beside a token; unless BERTH_USER does, the hub is asked. */
async function fromEnvironment(env, host) {
	const { BERTH_TOKEN: token, BERTH_HUB: address, BERTH_USER: user } = env;
	if (!token || !address || hostOf(address) !== host) return void 0;
	const secret = token.trim();
	if (user) return {
		username: user,
		secret
	};
	const authorization = basic({
		username: "<token>",
		secret
	});
	const hub = new Hub({
		origin: originOf(address),
		authorization,
		retries: 2,
		say: () => {}
	});
	try {
		return {
			username: (await hub.json("GET", "/api/v1/me")).name,
			secret
		};
	} finally {
		hub.close();
	}
}
async function readInput() {
	let text = "";
	for await (const chunk of process.stdin.setEncoding("utf8")) {
		text += chunk;
		if (text.length > 65536) throw new CliError("That is too long");
	}
	return text;
}
try {
	process.stdout.write(await main(process.argv[2] ?? "", process.env));
} catch (error) {
	process.stdout.write(`${printable(error.message)}\n`);
	process.exitCode = 1;
}

export {  };
