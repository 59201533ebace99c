#!/usr/bin/env node
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
/** Text from elsewhere, on one line, without what a terminal would obey. */
function printable(text) {
	return text.replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu, " ").trim();
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
			const kept = fromEnvironment(env, host) ?? settings.hubs[known(host)[0] ?? ""];
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
function fromEnvironment(env, host) {
	const { BERTH_TOKEN: token, BERTH_HUB: hub, BERTH_USER: user } = env;
	if (!token || !hub || hostOf(hub) !== host) return void 0;
	return {
		username: user || "token",
		secret: token.trim()
	};
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
