#!/usr/bin/env node
import { createRequire } from "node:module";
import { EventEmitter, once } from "node:events";
import childProcess, { spawn } from "node:child_process";
import path, { basename, dirname, join, relative, resolve, sep } from "node:path";
import fs, { constants, createReadStream } from "node:fs";
import process$1 from "node:process";
import { stripVTControlCharacters } from "node:util";
import { createInterface } from "node:readline/promises";
import { Writable } from "node:stream";
import http from "node:http";
import https from "node:https";
import { setTimeout as setTimeout$1 } from "node:timers/promises";
import { createHash, randomBytes } from "node:crypto";
import { lstat, mkdir, open, readFile, readdir, realpath, rename, rm, stat, writeFile } from "node:fs/promises";
import { homedir, hostname } from "node:os";

// \0rolldown/runtime.js
var __commonJSMin = (cb, mod) => () => (mod || (cb((mod = { exports: {} }).exports, mod, mod.exports), cb = null), mod.exports);
var __require = /* #__PURE__ */ (() => createRequire(import.meta.url))();

// node_modules/commander/lib/error.js
/**
* CommanderError class
*/
var CommanderError = class extends Error {
	/**
	* Constructs the CommanderError class
	* @param {number} exitCode suggested exit code which could be used with process.exit
	* @param {string} code an id string representing the error
	* @param {string} message human-readable description of the error
	*/
	constructor(exitCode, code, message) {
		super(message);
		Error.captureStackTrace(this, this.constructor);
		this.name = this.constructor.name;
		this.code = code;
		this.exitCode = exitCode;
		this.nestedError = void 0;
	}
};
/**
* InvalidArgumentError class
*/
var InvalidArgumentError = class extends CommanderError {
	/**
	* Constructs the InvalidArgumentError class
	* @param {string} [message] explanation of why argument is invalid
	*/
	constructor(message) {
		super(1, "commander.invalidArgument", message);
		Error.captureStackTrace(this, this.constructor);
		this.name = this.constructor.name;
	}
};

// node_modules/commander/lib/argument.js
var Argument = class {
	/**
	* Initialize a new command argument with the given name and description.
	* The default is that the argument is required, and you can explicitly
	* indicate this with <> around the name. Put [] around the name for an optional argument.
	*
	* @param {string} name
	* @param {string} [description]
	*/
	constructor(name, description) {
		this.description = description || "";
		this.variadic = false;
		this.parseArg = void 0;
		this.defaultValue = void 0;
		this.defaultValueDescription = void 0;
		this.argChoices = void 0;
		switch (name[0]) {
			case "<":
				this.required = true;
				this._name = name.slice(1, -1);
				break;
			case "[":
				this.required = false;
				this._name = name.slice(1, -1);
				break;
			default:
				this.required = true;
				this._name = name;
		}
		if (this._name.endsWith("...")) {
			this.variadic = true;
			this._name = this._name.slice(0, -3);
		}
	}
	/**
	* Return argument name.
	*
	* @return {string}
	*/
	name() {
		return this._name;
	}
	/**
	* @package
	*/
	_collectValue(value, previous) {
		if (previous === this.defaultValue || !Array.isArray(previous)) return [value];
		previous.push(value);
		return previous;
	}
	/**
	* Set the default value, and optionally supply the description to be displayed in the help.
	*
	* @param {*} value
	* @param {string} [description]
	* @return {Argument}
	*/
	default(value, description) {
		this.defaultValue = value;
		this.defaultValueDescription = description;
		return this;
	}
	/**
	* Set the custom handler for processing CLI command arguments into argument values.
	*
	* @param {Function} [fn]
	* @return {Argument}
	*/
	argParser(fn) {
		this.parseArg = fn;
		return this;
	}
	/**
	* Only allow argument value to be one of choices.
	*
	* @param {string[]} values
	* @return {Argument}
	*/
	choices(values) {
		this.argChoices = values.slice();
		this.parseArg = (arg, previous) => {
			if (!this.argChoices.includes(arg)) throw new InvalidArgumentError(`Allowed choices are ${this.argChoices.join(", ")}.`);
			if (this.variadic) return this._collectValue(arg, previous);
			return arg;
		};
		return this;
	}
	/**
	* Make argument required.
	*
	* @returns {Argument}
	*/
	argRequired() {
		this.required = true;
		return this;
	}
	/**
	* Make argument optional.
	*
	* @returns {Argument}
	*/
	argOptional() {
		this.required = false;
		return this;
	}
};
/**
* Takes an argument and returns its human readable equivalent for help usage.
*
* @param {Argument} arg
* @return {string}
* @private
*/
function humanReadableArgName(arg) {
	const nameOutput = arg.name() + (arg.variadic === true ? "..." : "");
	return arg.required ? "<" + nameOutput + ">" : "[" + nameOutput + "]";
}

// node_modules/commander/lib/help.js
/**
* TypeScript import types for JSDoc, used by Visual Studio Code IntelliSense and `npm run typescript-checkJS`
* https://www.typescriptlang.org/docs/handbook/jsdoc-supported-types.html#import-types
* @typedef { import("./argument.js").Argument } Argument
* @typedef { import("./command.js").Command } Command
* @typedef { import("./option.js").Option } Option
*/
var Help = class {
	constructor() {
		this.helpWidth = void 0;
		this.minWidthToWrap = 40;
		this.sortSubcommands = false;
		this.sortOptions = false;
		this.showGlobalOptions = false;
	}
	/**
	* prepareContext is called by Commander after applying overrides from `Command.configureHelp()`
	* and just before calling `formatHelp()`.
	*
	* Commander just uses the helpWidth and the rest is provided for optional use by more complex subclasses.
	*
	* @param {{ error?: boolean, helpWidth?: number, outputHasColors?: boolean }} contextOptions
	*/
	prepareContext(contextOptions) {
		this.helpWidth = this.helpWidth ?? contextOptions.helpWidth ?? 80;
	}
	/**
	* Get an array of the visible subcommands. Includes a placeholder for the implicit help command, if there is one.
	*
	* @param {Command} cmd
	* @returns {Command[]}
	*/
	visibleCommands(cmd) {
		const visibleCommands = cmd.commands.filter((cmd) => !cmd._hidden);
		const helpCommand = cmd._getHelpCommand();
		if (helpCommand && !helpCommand._hidden) visibleCommands.push(helpCommand);
		if (this.sortSubcommands) visibleCommands.sort((a, b) => {
			return a.name().localeCompare(b.name());
		});
		return visibleCommands;
	}
	/**
	* Compare options for sort.
	*
	* @param {Option} a
	* @param {Option} b
	* @returns {number}
	*/
	compareOptions(a, b) {
		const getSortKey = (option) => {
			return option.short ? option.short.replace(/^-/, "") : option.long.replace(/^--/, "");
		};
		return getSortKey(a).localeCompare(getSortKey(b));
	}
	/**
	* Get an array of the visible options. Includes a placeholder for the implicit help option, if there is one.
	*
	* @param {Command} cmd
	* @returns {Option[]}
	*/
	visibleOptions(cmd) {
		const visibleOptions = cmd.options.filter((option) => !option.hidden);
		const helpOption = cmd._getHelpOption();
		if (helpOption && !helpOption.hidden) {
			const removeShort = helpOption.short && cmd._findOption(helpOption.short);
			const removeLong = helpOption.long && cmd._findOption(helpOption.long);
			if (!removeShort && !removeLong) visibleOptions.push(helpOption);
			else if (helpOption.long && !removeLong) visibleOptions.push(cmd.createOption(helpOption.long, helpOption.description).helpGroup(helpOption.helpGroupHeading));
			else if (helpOption.short && !removeShort) visibleOptions.push(cmd.createOption(helpOption.short, helpOption.description).helpGroup(helpOption.helpGroupHeading));
		}
		if (this.sortOptions) visibleOptions.sort(this.compareOptions);
		return visibleOptions;
	}
	/**
	* Get an array of the visible global options. (Not including help.)
	*
	* @param {Command} cmd
	* @returns {Option[]}
	*/
	visibleGlobalOptions(cmd) {
		if (!this.showGlobalOptions) return [];
		const globalOptions = [];
		for (let ancestorCmd = cmd.parent; ancestorCmd; ancestorCmd = ancestorCmd.parent) {
			const visibleOptions = ancestorCmd.options.filter((option) => !option.hidden);
			globalOptions.push(...visibleOptions);
		}
		if (this.sortOptions) globalOptions.sort(this.compareOptions);
		return globalOptions;
	}
	/**
	* Get an array of the arguments if any have a description.
	*
	* @param {Command} cmd
	* @returns {Argument[]}
	*/
	visibleArguments(cmd) {
		if (cmd._argsDescription) cmd.registeredArguments.forEach((argument) => {
			argument.description = argument.description || cmd._argsDescription[argument.name()] || "";
		});
		if (cmd.registeredArguments.find((argument) => argument.description)) return cmd.registeredArguments;
		return [];
	}
	/**
	* Get the command term to show in the list of subcommands.
	*
	* @param {Command} cmd
	* @returns {string}
	*/
	subcommandTerm(cmd) {
		const args = cmd.registeredArguments.map((arg) => humanReadableArgName(arg)).join(" ");
		return cmd._name + (cmd._aliases[0] ? "|" + cmd._aliases[0] : "") + (cmd.options.length ? " [options]" : "") + (args ? " " + args : "");
	}
	/**
	* Get the option term to show in the list of options.
	*
	* @param {Option} option
	* @returns {string}
	*/
	optionTerm(option) {
		return option.flags;
	}
	/**
	* Get the argument term to show in the list of arguments.
	*
	* @param {Argument} argument
	* @returns {string}
	*/
	argumentTerm(argument) {
		return argument.name();
	}
	/**
	* Get the longest command term length.
	*
	* @param {Command} cmd
	* @param {Help} helper
	* @returns {number}
	*/
	longestSubcommandTermLength(cmd, helper) {
		return helper.visibleCommands(cmd).reduce((max, command) => {
			return Math.max(max, this.displayWidth(helper.styleSubcommandTerm(helper.subcommandTerm(command))));
		}, 0);
	}
	/**
	* Get the longest option term length.
	*
	* @param {Command} cmd
	* @param {Help} helper
	* @returns {number}
	*/
	longestOptionTermLength(cmd, helper) {
		return helper.visibleOptions(cmd).reduce((max, option) => {
			return Math.max(max, this.displayWidth(helper.styleOptionTerm(helper.optionTerm(option))));
		}, 0);
	}
	/**
	* Get the longest global option term length.
	*
	* @param {Command} cmd
	* @param {Help} helper
	* @returns {number}
	*/
	longestGlobalOptionTermLength(cmd, helper) {
		return helper.visibleGlobalOptions(cmd).reduce((max, option) => {
			return Math.max(max, this.displayWidth(helper.styleOptionTerm(helper.optionTerm(option))));
		}, 0);
	}
	/**
	* Get the longest argument term length.
	*
	* @param {Command} cmd
	* @param {Help} helper
	* @returns {number}
	*/
	longestArgumentTermLength(cmd, helper) {
		return helper.visibleArguments(cmd).reduce((max, argument) => {
			return Math.max(max, this.displayWidth(helper.styleArgumentTerm(helper.argumentTerm(argument))));
		}, 0);
	}
	/**
	* Get the command usage to be displayed at the top of the built-in help.
	*
	* @param {Command} cmd
	* @returns {string}
	*/
	commandUsage(cmd) {
		let cmdName = cmd._name;
		if (cmd._aliases[0]) cmdName = cmdName + "|" + cmd._aliases[0];
		let ancestorCmdNames = "";
		for (let ancestorCmd = cmd.parent; ancestorCmd; ancestorCmd = ancestorCmd.parent) ancestorCmdNames = ancestorCmd.name() + " " + ancestorCmdNames;
		return ancestorCmdNames + cmdName + " " + cmd.usage();
	}
	/**
	* Get the description for the command.
	*
	* @param {Command} cmd
	* @returns {string}
	*/
	commandDescription(cmd) {
		return cmd.description();
	}
	/**
	* Get the subcommand summary to show in the list of subcommands.
	* (Fallback to description for backwards compatibility.)
	*
	* @param {Command} cmd
	* @returns {string}
	*/
	subcommandDescription(cmd) {
		return cmd.summary() || cmd.description();
	}
	/**
	* Get the option description to show in the list of options.
	*
	* @param {Option} option
	* @return {string}
	*/
	optionDescription(option) {
		const extraInfo = [];
		if (option.argChoices) extraInfo.push(`choices: ${option.argChoices.map((choice) => JSON.stringify(choice)).join(", ")}`);
		if (option.defaultValue !== void 0) {
			if (option.required || option.optional || option.isBoolean() && typeof option.defaultValue === "boolean") extraInfo.push(`default: ${option.defaultValueDescription || JSON.stringify(option.defaultValue)}`);
		}
		if (option.presetArg !== void 0 && option.optional) extraInfo.push(`preset: ${JSON.stringify(option.presetArg)}`);
		if (option.envVar !== void 0) extraInfo.push(`env: ${option.envVar}`);
		if (extraInfo.length > 0) {
			const extraDescription = `(${extraInfo.join(", ")})`;
			if (option.description) return `${option.description} ${extraDescription}`;
			return extraDescription;
		}
		return option.description;
	}
	/**
	* Get the argument description to show in the list of arguments.
	*
	* @param {Argument} argument
	* @return {string}
	*/
	argumentDescription(argument) {
		const extraInfo = [];
		if (argument.argChoices) extraInfo.push(`choices: ${argument.argChoices.map((choice) => JSON.stringify(choice)).join(", ")}`);
		if (argument.defaultValue !== void 0) extraInfo.push(`default: ${argument.defaultValueDescription || JSON.stringify(argument.defaultValue)}`);
		if (extraInfo.length > 0) {
			const extraDescription = `(${extraInfo.join(", ")})`;
			if (argument.description) return `${argument.description} ${extraDescription}`;
			return extraDescription;
		}
		return argument.description;
	}
	/**
	* Format a list of items, given a heading and an array of formatted items.
	*
	* @param {string} heading
	* @param {string[]} items
	* @param {Help} helper
	* @returns string[]
	*/
	formatItemList(heading, items, helper) {
		if (items.length === 0) return [];
		return [
			helper.styleTitle(heading),
			...items,
			""
		];
	}
	/**
	* Group items by their help group heading.
	*
	* @param {Command[] | Option[]} unsortedItems
	* @param {Command[] | Option[]} visibleItems
	* @param {Function} getGroup
	* @returns {Map<string, Command[] | Option[]>}
	*/
	groupItems(unsortedItems, visibleItems, getGroup) {
		const result = /* @__PURE__ */ new Map();
		unsortedItems.forEach((item) => {
			const group = getGroup(item);
			if (!result.has(group)) result.set(group, []);
		});
		visibleItems.forEach((item) => {
			const group = getGroup(item);
			if (!result.has(group)) result.set(group, []);
			result.get(group).push(item);
		});
		return result;
	}
	/**
	* Generate the built-in help text.
	*
	* @param {Command} cmd
	* @param {Help} helper
	* @returns {string}
	*/
	formatHelp(cmd, helper) {
		const termWidth = helper.padWidth(cmd, helper);
		const helpWidth = helper.helpWidth ?? 80;
		function callFormatItem(term, description) {
			return helper.formatItem(term, termWidth, description, helper);
		}
		let output = [`${helper.styleTitle("Usage:")} ${helper.styleUsage(helper.commandUsage(cmd))}`, ""];
		const commandDescription = helper.commandDescription(cmd);
		if (commandDescription.length > 0) output = output.concat([helper.boxWrap(helper.styleCommandDescription(commandDescription), helpWidth), ""]);
		const argumentList = helper.visibleArguments(cmd).map((argument) => {
			return callFormatItem(helper.styleArgumentTerm(helper.argumentTerm(argument)), helper.styleArgumentDescription(helper.argumentDescription(argument)));
		});
		output = output.concat(this.formatItemList("Arguments:", argumentList, helper));
		this.groupItems(cmd.options, helper.visibleOptions(cmd), (option) => option.helpGroupHeading ?? "Options:").forEach((options, group) => {
			const optionList = options.map((option) => {
				return callFormatItem(helper.styleOptionTerm(helper.optionTerm(option)), helper.styleOptionDescription(helper.optionDescription(option)));
			});
			output = output.concat(this.formatItemList(group, optionList, helper));
		});
		if (helper.showGlobalOptions) {
			const globalOptionList = helper.visibleGlobalOptions(cmd).map((option) => {
				return callFormatItem(helper.styleOptionTerm(helper.optionTerm(option)), helper.styleOptionDescription(helper.optionDescription(option)));
			});
			output = output.concat(this.formatItemList("Global Options:", globalOptionList, helper));
		}
		this.groupItems(cmd.commands, helper.visibleCommands(cmd), (sub) => sub.helpGroup() || "Commands:").forEach((commands, group) => {
			const commandList = commands.map((sub) => {
				return callFormatItem(helper.styleSubcommandTerm(helper.subcommandTerm(sub)), helper.styleSubcommandDescription(helper.subcommandDescription(sub)));
			});
			output = output.concat(this.formatItemList(group, commandList, helper));
		});
		return output.join("\n");
	}
	/**
	* Return display width of string, ignoring ANSI escape sequences. Used in padding and wrapping calculations.
	*
	* @param {string} str
	* @returns {number}
	*/
	displayWidth(str) {
		return stripVTControlCharacters(str).length;
	}
	/**
	* Style the title for displaying in the help. Called with 'Usage:', 'Options:', etc.
	*
	* @param {string} str
	* @returns {string}
	*/
	styleTitle(str) {
		return str;
	}
	styleUsage(str) {
		return str.split(" ").map((word) => {
			if (word === "[options]") return this.styleOptionText(word);
			if (word === "[command]") return this.styleSubcommandText(word);
			if (word[0] === "[" || word[0] === "<") return this.styleArgumentText(word);
			return this.styleCommandText(word);
		}).join(" ");
	}
	styleCommandDescription(str) {
		return this.styleDescriptionText(str);
	}
	styleOptionDescription(str) {
		return this.styleDescriptionText(str);
	}
	styleSubcommandDescription(str) {
		return this.styleDescriptionText(str);
	}
	styleArgumentDescription(str) {
		return this.styleDescriptionText(str);
	}
	styleDescriptionText(str) {
		return str;
	}
	styleOptionTerm(str) {
		return this.styleOptionText(str);
	}
	styleSubcommandTerm(str) {
		return str.split(" ").map((word) => {
			if (word === "[options]") return this.styleOptionText(word);
			if (word[0] === "[" || word[0] === "<") return this.styleArgumentText(word);
			return this.styleSubcommandText(word);
		}).join(" ");
	}
	styleArgumentTerm(str) {
		return this.styleArgumentText(str);
	}
	styleOptionText(str) {
		return str;
	}
	styleArgumentText(str) {
		return str;
	}
	styleSubcommandText(str) {
		return str;
	}
	styleCommandText(str) {
		return str;
	}
	/**
	* Calculate the pad width from the maximum term length.
	*
	* @param {Command} cmd
	* @param {Help} helper
	* @returns {number}
	*/
	padWidth(cmd, helper) {
		return Math.max(helper.longestOptionTermLength(cmd, helper), helper.longestGlobalOptionTermLength(cmd, helper), helper.longestSubcommandTermLength(cmd, helper), helper.longestArgumentTermLength(cmd, helper));
	}
	/**
	* Detect manually wrapped and indented strings by checking for line break followed by whitespace.
	*
	* @param {string} str
	* @returns {boolean}
	*/
	preformatted(str) {
		return /\n[^\S\r\n]/.test(str);
	}
	/**
	* Format the "item", which consists of a term and description. Pad the term and wrap the description, indenting the following lines.
	*
	* So "TTT", 5, "DDD DDDD DD DDD" might be formatted for this.helpWidth=17 like so:
	*   TTT  DDD DDDD
	*        DD DDD
	*
	* @param {string} term
	* @param {number} termWidth
	* @param {string} description
	* @param {Help} helper
	* @returns {string}
	*/
	formatItem(term, termWidth, description, helper) {
		const itemIndent = 2;
		const itemIndentStr = " ".repeat(itemIndent);
		if (!description) return itemIndentStr + term;
		const paddedTerm = term.padEnd(termWidth + term.length - helper.displayWidth(term));
		const spacerWidth = 2;
		const remainingWidth = (this.helpWidth ?? 80) - termWidth - spacerWidth - itemIndent;
		let formattedDescription;
		if (remainingWidth < this.minWidthToWrap || helper.preformatted(description)) formattedDescription = description;
		else formattedDescription = helper.boxWrap(description, remainingWidth).replace(/\n/g, "\n" + " ".repeat(termWidth + spacerWidth));
		return itemIndentStr + paddedTerm + " ".repeat(spacerWidth) + formattedDescription.replace(/\n/g, `\n${itemIndentStr}`);
	}
	/**
	* Wrap a string at whitespace, preserving existing line breaks.
	* Wrapping is skipped if the width is less than `minWidthToWrap`.
	*
	* @param {string} str
	* @param {number} width
	* @returns {string}
	*/
	boxWrap(str, width) {
		if (width < this.minWidthToWrap) return str;
		const rawLines = str.split(/\r\n|\n/);
		const chunkPattern = /[\s]*[^\s]+/g;
		const wrappedLines = [];
		rawLines.forEach((line) => {
			const chunks = line.match(chunkPattern);
			if (chunks === null) {
				wrappedLines.push("");
				return;
			}
			let sumChunks = [chunks.shift()];
			let sumWidth = this.displayWidth(sumChunks[0]);
			chunks.forEach((chunk) => {
				const visibleWidth = this.displayWidth(chunk);
				if (sumWidth + visibleWidth <= width) {
					sumChunks.push(chunk);
					sumWidth += visibleWidth;
					return;
				}
				wrappedLines.push(sumChunks.join(""));
				const nextChunk = chunk.trimStart();
				sumChunks = [nextChunk];
				sumWidth = this.displayWidth(nextChunk);
			});
			wrappedLines.push(sumChunks.join(""));
		});
		return wrappedLines.join("\n");
	}
};

// node_modules/commander/lib/option.js
var Option = class {
	/**
	* Initialize a new `Option` with the given `flags` and `description`.
	*
	* @param {string} flags
	* @param {string} [description]
	*/
	constructor(flags, description) {
		this.flags = flags;
		this.description = description || "";
		this.required = flags.includes("<");
		this.optional = flags.includes("[");
		this.variadic = /\p{ID_Continue}\.\.\.[>\]]$/u.test(flags);
		this.mandatory = false;
		const optionFlags = splitOptionFlags(flags);
		this.short = optionFlags.shortFlag;
		this.long = optionFlags.longFlag;
		this.negate = false;
		if (this.long) this.negate = this.long.startsWith("--no-");
		this.defaultValue = void 0;
		this.defaultValueDescription = void 0;
		this.presetArg = void 0;
		this.envVar = void 0;
		this.parseArg = void 0;
		this.hidden = false;
		this.argChoices = void 0;
		this.conflictsWith = [];
		this.implied = void 0;
		this.helpGroupHeading = void 0;
	}
	/**
	* Set the default value, and optionally supply the description to be displayed in the help.
	*
	* @param {*} value
	* @param {string} [description]
	* @return {Option}
	*/
	default(value, description) {
		this.defaultValue = value;
		this.defaultValueDescription = description;
		return this;
	}
	/**
	* Preset to use when option used without option-argument, especially optional but also boolean and negated.
	* The custom processing (parseArg) is called.
	*
	* @example
	* new Option('--color').default('GREYSCALE').preset('RGB');
	* new Option('--donate [amount]').preset('20').argParser(parseFloat);
	*
	* @param {*} arg
	* @return {Option}
	*/
	preset(arg) {
		this.presetArg = arg;
		return this;
	}
	/**
	* Add option name(s) that conflict with this option.
	* An error will be displayed if conflicting options are found during parsing.
	*
	* @example
	* new Option('--rgb').conflicts('cmyk');
	* new Option('--js').conflicts(['ts', 'jsx']);
	*
	* @param {(string | string[])} names
	* @return {Option}
	*/
	conflicts(names) {
		this.conflictsWith = this.conflictsWith.concat(names);
		return this;
	}
	/**
	* Specify implied option values for when this option is set and the implied options are not.
	*
	* The custom processing (parseArg) is not called on the implied values.
	*
	* @example
	* program
	*   .addOption(new Option('--log', 'write logging information to file'))
	*   .addOption(new Option('--trace', 'log extra details').implies({ log: 'trace.txt' }));
	*
	* @param {object} impliedOptionValues
	* @return {Option}
	*/
	implies(impliedOptionValues) {
		let newImplied = impliedOptionValues;
		if (typeof impliedOptionValues === "string") newImplied = { [impliedOptionValues]: true };
		this.implied = Object.assign(this.implied || {}, newImplied);
		return this;
	}
	/**
	* Set environment variable to check for option value.
	*
	* An environment variable is only used if when processed the current option value is
	* undefined, or the source of the current value is 'default' or 'config' or 'env'.
	*
	* @param {string} name
	* @return {Option}
	*/
	env(name) {
		this.envVar = name;
		return this;
	}
	/**
	* Set the custom handler for processing CLI option arguments into option values.
	*
	* @param {Function} [fn]
	* @return {Option}
	*/
	argParser(fn) {
		this.parseArg = fn;
		return this;
	}
	/**
	* Whether the option is mandatory and must have a value after parsing.
	*
	* @param {boolean} [mandatory=true]
	* @return {Option}
	*/
	makeOptionMandatory(mandatory = true) {
		this.mandatory = !!mandatory;
		return this;
	}
	/**
	* Hide option in help.
	*
	* @param {boolean} [hide=true]
	* @return {Option}
	*/
	hideHelp(hide = true) {
		this.hidden = !!hide;
		return this;
	}
	/**
	* @package
	*/
	_collectValue(value, previous) {
		if (previous === this.defaultValue || !Array.isArray(previous)) return [value];
		previous.push(value);
		return previous;
	}
	/**
	* Only allow option value to be one of choices.
	*
	* @param {string[]} values
	* @return {Option}
	*/
	choices(values) {
		this.argChoices = values.slice();
		this.parseArg = (arg, previous) => {
			if (!this.argChoices.includes(arg)) throw new InvalidArgumentError(`Allowed choices are ${this.argChoices.join(", ")}.`);
			if (this.variadic) return this._collectValue(arg, previous);
			return arg;
		};
		return this;
	}
	/**
	* Return option name.
	*
	* @return {string}
	*/
	name() {
		if (this.long) return this.long.replace(/^--/, "");
		return this.short.replace(/^-/, "");
	}
	/**
	* Return option name, in a camelcase format that can be used
	* as an object attribute key.
	*
	* @return {string}
	*/
	attributeName() {
		if (this.negate) return camelcase(this.name().replace(/^no-/, ""));
		return camelcase(this.name());
	}
	/**
	* Set the help group heading.
	*
	* @param {string} heading
	* @return {Option}
	*/
	helpGroup(heading) {
		this.helpGroupHeading = heading;
		return this;
	}
	/**
	* Check if `arg` matches the short or long flag.
	*
	* @param {string} arg
	* @return {boolean}
	* @package
	*/
	is(arg) {
		return this.short === arg || this.long === arg;
	}
	/**
	* Return whether a boolean option.
	*
	* Options are one of boolean, negated, required argument, or optional argument.
	*
	* @return {boolean}
	* @package
	*/
	isBoolean() {
		return !this.required && !this.optional && !this.negate;
	}
};
/**
* This class is to make it easier to work with dual options, without changing the existing
* implementation. We support separate dual options for separate positive and negative options,
* like `--build` and `--no-build`, which share a single option value. This works nicely for some
* use cases, but is tricky for others where we want separate behaviours despite
* the single shared option value.
*/
var DualOptions = class {
	/**
	* @param {Option[]} options
	*/
	constructor(options) {
		this.positiveOptions = /* @__PURE__ */ new Map();
		this.negativeOptions = /* @__PURE__ */ new Map();
		this.dualOptions = /* @__PURE__ */ new Set();
		options.forEach((option) => {
			if (option.negate) this.negativeOptions.set(option.attributeName(), option);
			else this.positiveOptions.set(option.attributeName(), option);
		});
		this.negativeOptions.forEach((value, key) => {
			if (this.positiveOptions.has(key)) this.dualOptions.add(key);
		});
	}
	/**
	* Did the value come from the option, and not from possible matching dual option?
	*
	* @param {*} value
	* @param {Option} option
	* @returns {boolean}
	*/
	valueFromOption(value, option) {
		const optionKey = option.attributeName();
		if (!this.dualOptions.has(optionKey)) return true;
		const preset = this.negativeOptions.get(optionKey).presetArg;
		const negativeValue = preset !== void 0 ? preset : false;
		return option.negate === (negativeValue === value);
	}
};
/**
* Convert string from kebab-case to camelCase.
*
* @param {string} str
* @return {string}
* @private
*/
function camelcase(str) {
	return str.split("-").reduce((str, word) => {
		return str + word[0].toUpperCase() + word.slice(1);
	});
}
/**
* Split the short and long flag out of something like '-m,--mixed <value>'
*
* @private
*/
function splitOptionFlags(flags) {
	let shortFlag;
	let longFlag;
	const shortFlagExp = /^-[^-]$/;
	const longFlagExp = /^--[^-]/;
	const flagParts = flags.split(/[ |,]+/).concat("guard");
	if (shortFlagExp.test(flagParts[0])) shortFlag = flagParts.shift();
	if (longFlagExp.test(flagParts[0])) longFlag = flagParts.shift();
	if (!shortFlag && shortFlagExp.test(flagParts[0])) shortFlag = flagParts.shift();
	if (!shortFlag && longFlagExp.test(flagParts[0])) {
		shortFlag = longFlag;
		longFlag = flagParts.shift();
	}
	if (flagParts[0].startsWith("-")) {
		const unsupportedFlag = flagParts[0];
		const baseError = `option creation failed due to '${unsupportedFlag}' in option flags '${flags}'`;
		if (/^-[^-][^-]/.test(unsupportedFlag)) throw new Error(`${baseError}
- a short flag is a single dash and a single character
  - either use a single dash and a single character (for a short flag)
  - or use a double dash for a long option (and can have two, like '--ws, --workspace')`);
		if (shortFlagExp.test(unsupportedFlag)) throw new Error(`${baseError}
- too many short flags`);
		if (longFlagExp.test(unsupportedFlag)) throw new Error(`${baseError}
- too many long flags`);
		throw new Error(`${baseError}
- unrecognised flag format`);
	}
	if (shortFlag === void 0 && longFlag === void 0) throw new Error(`option creation failed due to no flags found in '${flags}'.`);
	return {
		shortFlag,
		longFlag
	};
}

// node_modules/commander/lib/suggestSimilar.js
const maxDistance = 3;
function editDistance(a, b) {
	if (Math.abs(a.length - b.length) > maxDistance) return Math.max(a.length, b.length);
	const d = [];
	for (let i = 0; i <= a.length; i++) d[i] = [i];
	for (let j = 0; j <= b.length; j++) d[0][j] = j;
	for (let j = 1; j <= b.length; j++) for (let i = 1; i <= a.length; i++) {
		let cost;
		if (a[i - 1] === b[j - 1]) cost = 0;
		else cost = 1;
		d[i][j] = Math.min(d[i - 1][j] + 1, d[i][j - 1] + 1, d[i - 1][j - 1] + cost);
		if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) d[i][j] = Math.min(d[i][j], d[i - 2][j - 2] + 1);
	}
	return d[a.length][b.length];
}
/**
* Find close matches, restricted to same number of edits.
*
* @param {string} word
* @param {string[]} candidates
* @returns {string}
*/
function suggestSimilar(word, candidates) {
	if (!candidates || candidates.length === 0) return "";
	candidates = Array.from(new Set(candidates));
	const searchingOptions = word.startsWith("--");
	if (searchingOptions) {
		word = word.slice(2);
		candidates = candidates.map((candidate) => candidate.slice(2));
	}
	let similar = [];
	let bestDistance = maxDistance;
	const minSimilarity = .4;
	candidates.forEach((candidate) => {
		if (candidate.length <= 1) return;
		const distance = editDistance(word, candidate);
		const length = Math.max(word.length, candidate.length);
		if ((length - distance) / length > minSimilarity) {
			if (distance < bestDistance) {
				bestDistance = distance;
				similar = [candidate];
			} else if (distance === bestDistance) similar.push(candidate);
		}
	});
	similar.sort((a, b) => a.localeCompare(b));
	if (searchingOptions) similar = similar.map((candidate) => `--${candidate}`);
	if (similar.length > 1) return `\n(Did you mean one of ${similar.join(", ")}?)`;
	if (similar.length === 1) return `\n(Did you mean ${similar[0]}?)`;
	return "";
}

// node_modules/commander/lib/command.js
var Command = class Command extends EventEmitter {
	/**
	* Initialize a new `Command`.
	*
	* @param {string} [name]
	*/
	constructor(name) {
		super();
		/** @type {Command[]} */
		this.commands = [];
		/** @type {Option[]} */
		this.options = [];
		this.parent = null;
		this._allowUnknownOption = false;
		this._allowExcessArguments = false;
		/** @type {Argument[]} */
		this.registeredArguments = [];
		this._args = this.registeredArguments;
		/** @type {string[]} */
		this.args = [];
		this.rawArgs = [];
		this.processedArgs = [];
		this._scriptPath = null;
		this._name = name || "";
		this._optionValues = {};
		this._optionValueSources = {};
		this._storeOptionsAsProperties = false;
		this._actionHandler = null;
		this._executableHandler = false;
		this._executableFile = null;
		this._executableDir = null;
		this._defaultCommandName = null;
		this._exitCallback = null;
		this._aliases = [];
		this._combineFlagAndOptionalValue = true;
		this._description = "";
		this._summary = "";
		this._argsDescription = void 0;
		this._enablePositionalOptions = false;
		this._passThroughOptions = false;
		this._lifeCycleHooks = {};
		/** @type {(boolean | string)} */
		this._showHelpAfterError = false;
		this._showSuggestionAfterError = true;
		this._savedState = null;
		this._outputConfiguration = {
			writeOut: (str) => process$1.stdout.write(str),
			writeErr: (str) => process$1.stderr.write(str),
			outputError: (str, write) => write(str),
			getOutHelpWidth: () => process$1.stdout.isTTY ? process$1.stdout.columns : void 0,
			getErrHelpWidth: () => process$1.stderr.isTTY ? process$1.stderr.columns : void 0,
			getOutHasColors: () => useColor() ?? (process$1.stdout.isTTY && process$1.stdout.hasColors?.()),
			getErrHasColors: () => useColor() ?? (process$1.stderr.isTTY && process$1.stderr.hasColors?.()),
			stripColor: (str) => stripVTControlCharacters(str)
		};
		this._hidden = false;
		/** @type {(Option | null | undefined)} */
		this._helpOption = void 0;
		this._addImplicitHelpCommand = void 0;
		/** @type {Command} */
		this._helpCommand = void 0;
		this._helpConfiguration = {};
		/** @type {string | undefined} */
		this._helpGroupHeading = void 0;
		/** @type {string | undefined} */
		this._defaultCommandGroup = void 0;
		/** @type {string | undefined} */
		this._defaultOptionGroup = void 0;
	}
	/**
	* Copy settings that are useful to have in common across root command and subcommands.
	*
	* (Used internally when adding a command using `.command()` so subcommands inherit parent settings.)
	*
	* @param {Command} sourceCommand
	* @return {Command} `this` command for chaining
	*/
	copyInheritedSettings(sourceCommand) {
		this._outputConfiguration = sourceCommand._outputConfiguration;
		this._helpOption = sourceCommand._helpOption;
		this._helpCommand = sourceCommand._helpCommand;
		this._helpConfiguration = sourceCommand._helpConfiguration;
		this._exitCallback = sourceCommand._exitCallback;
		this._storeOptionsAsProperties = sourceCommand._storeOptionsAsProperties;
		this._combineFlagAndOptionalValue = sourceCommand._combineFlagAndOptionalValue;
		this._allowExcessArguments = sourceCommand._allowExcessArguments;
		this._enablePositionalOptions = sourceCommand._enablePositionalOptions;
		this._showHelpAfterError = sourceCommand._showHelpAfterError;
		this._showSuggestionAfterError = sourceCommand._showSuggestionAfterError;
		return this;
	}
	/**
	* @returns {Command[]}
	* @private
	*/
	_getCommandAndAncestors() {
		const result = [];
		for (let command = this; command; command = command.parent) result.push(command);
		return result;
	}
	/**
	* Define a command.
	*
	* There are two styles of command: pay attention to where to put the description.
	*
	* @example
	* // Command implemented using action handler (description is supplied separately to `.command`)
	* program
	*   .command('clone <source> [destination]')
	*   .description('clone a repository into a newly created directory')
	*   .action((source, destination) => {
	*     console.log('clone command called');
	*   });
	*
	* // Command implemented using separate executable file (description is second parameter to `.command`)
	* program
	*   .command('start <service>', 'start named service')
	*   .command('stop [service]', 'stop named service, or all if no name supplied');
	*
	* @param {string} nameAndArgs - command name and arguments, args are `<required>` or `[optional]` and last may also be `variadic...`
	* @param {(object | string)} [actionOptsOrExecDesc] - configuration options (for action), or description (for executable)
	* @param {object} [execOpts] - configuration options (for executable)
	* @return {Command} returns new command for action handler, or `this` for executable command
	*/
	command(nameAndArgs, actionOptsOrExecDesc, execOpts) {
		let desc = actionOptsOrExecDesc;
		let opts = execOpts;
		if (typeof desc === "object" && desc !== null) {
			opts = desc;
			desc = null;
		}
		opts = opts || {};
		const [, name, args] = nameAndArgs.match(/([^ ]+) *(.*)/);
		const cmd = this.createCommand(name);
		if (desc) {
			cmd.description(desc);
			cmd._executableHandler = true;
		}
		if (opts.isDefault) this._defaultCommandName = cmd._name;
		cmd._hidden = !!(opts.noHelp || opts.hidden);
		cmd._executableFile = opts.executableFile || null;
		if (args) cmd.arguments(args);
		this._registerCommand(cmd);
		cmd.parent = this;
		cmd.copyInheritedSettings(this);
		if (desc) return this;
		return cmd;
	}
	/**
	* Factory routine to create a new unattached command.
	*
	* See .command() for creating an attached subcommand, which uses this routine to
	* create the command. You can override createCommand to customise subcommands.
	*
	* @param {string} [name]
	* @return {Command} new command
	*/
	createCommand(name) {
		return new Command(name);
	}
	/**
	* You can customise the help with a subclass of Help by overriding createHelp,
	* or by overriding Help properties using configureHelp().
	*
	* @return {Help}
	*/
	createHelp() {
		return Object.assign(new Help(), this.configureHelp());
	}
	/**
	* You can customise the help by overriding Help properties using configureHelp(),
	* or with a subclass of Help by overriding createHelp().
	*
	* @param {object} [configuration] - configuration options
	* @return {(Command | object)} `this` command for chaining, or stored configuration
	*/
	configureHelp(configuration) {
		if (configuration === void 0) return this._helpConfiguration;
		this._helpConfiguration = configuration;
		return this;
	}
	/**
	* The default output goes to stdout and stderr. You can customise this for special
	* applications. You can also customise the display of errors by overriding outputError.
	*
	* The configuration properties are all functions:
	*
	*     // change how output being written, defaults to stdout and stderr
	*     writeOut(str)
	*     writeErr(str)
	*     // change how output being written for errors, defaults to writeErr
	*     outputError(str, write) // used for displaying errors and not used for displaying help
	*     // specify width for wrapping help
	*     getOutHelpWidth()
	*     getErrHelpWidth()
	*     // color support, currently only used with Help
	*     getOutHasColors()
	*     getErrHasColors()
	*     stripColor() // used to remove ANSI escape codes if output does not have colors
	*
	* @param {object} [configuration] - configuration options
	* @return {(Command | object)} `this` command for chaining, or stored configuration
	*/
	configureOutput(configuration) {
		if (configuration === void 0) return this._outputConfiguration;
		this._outputConfiguration = {
			...this._outputConfiguration,
			...configuration
		};
		return this;
	}
	/**
	* Display the help or a custom message after an error occurs.
	*
	* @param {(boolean|string)} [displayHelp]
	* @return {Command} `this` command for chaining
	*/
	showHelpAfterError(displayHelp = true) {
		if (typeof displayHelp !== "string") displayHelp = !!displayHelp;
		this._showHelpAfterError = displayHelp;
		return this;
	}
	/**
	* Display suggestion of similar commands for unknown commands, or options for unknown options.
	*
	* @param {boolean} [displaySuggestion]
	* @return {Command} `this` command for chaining
	*/
	showSuggestionAfterError(displaySuggestion = true) {
		this._showSuggestionAfterError = !!displaySuggestion;
		return this;
	}
	/**
	* Add a prepared subcommand.
	*
	* See .command() for creating an attached subcommand which inherits settings from its parent.
	*
	* @param {Command} cmd - new subcommand
	* @param {object} [opts] - configuration options
	* @return {Command} `this` command for chaining
	*/
	addCommand(cmd, opts) {
		if (!cmd._name) throw new Error(`Command passed to .addCommand() must have a name
- specify the name in Command constructor or using .name()`);
		opts = opts || {};
		if (opts.isDefault) this._defaultCommandName = cmd._name;
		if (opts.noHelp || opts.hidden) cmd._hidden = true;
		this._registerCommand(cmd);
		cmd.parent = this;
		cmd._checkForBrokenPassThrough();
		return this;
	}
	/**
	* Factory routine to create a new unattached argument.
	*
	* See .argument() for creating an attached argument, which uses this routine to
	* create the argument. You can override createArgument to return a custom argument.
	*
	* @param {string} name
	* @param {string} [description]
	* @return {Argument} new argument
	*/
	createArgument(name, description) {
		return new Argument(name, description);
	}
	/**
	* Define argument syntax for command.
	*
	* The default is that the argument is required, and you can explicitly
	* indicate this with <> around the name. Put [] around the name for an optional argument.
	*
	* @example
	* program.argument('<input-file>');
	* program.argument('[output-file]');
	*
	* @param {string} name
	* @param {string} [description]
	* @param {(Function|*)} [parseArg] - custom argument processing function or default value
	* @param {*} [defaultValue]
	* @return {Command} `this` command for chaining
	*/
	argument(name, description, parseArg, defaultValue) {
		const argument = this.createArgument(name, description);
		if (typeof parseArg === "function") argument.default(defaultValue).argParser(parseArg);
		else argument.default(parseArg);
		this.addArgument(argument);
		return this;
	}
	/**
	* Define argument syntax for command, adding multiple at once (without descriptions).
	*
	* See also .argument().
	*
	* @example
	* program.arguments('<cmd> [env]');
	*
	* @param {string} names
	* @return {Command} `this` command for chaining
	*/
	arguments(names) {
		names.trim().split(/ +/).forEach((detail) => {
			this.argument(detail);
		});
		return this;
	}
	/**
	* Define argument syntax for command, adding a prepared argument.
	*
	* @param {Argument} argument
	* @return {Command} `this` command for chaining
	*/
	addArgument(argument) {
		const previousArgument = this.registeredArguments.slice(-1)[0];
		if (previousArgument?.variadic) throw new Error(`only the last argument can be variadic '${previousArgument.name()}'`);
		if (argument.required && argument.defaultValue !== void 0 && argument.parseArg === void 0) throw new Error(`a default value for a required argument is never used: '${argument.name()}'`);
		this.registeredArguments.push(argument);
		return this;
	}
	/**
	* Customise or override default help command. By default a help command is automatically added if your command has subcommands.
	*
	* @example
	*    program.helpCommand('help [cmd]');
	*    program.helpCommand('help [cmd]', 'show help');
	*    program.helpCommand(false); // suppress default help command
	*    program.helpCommand(true); // add help command even if no subcommands
	*
	* @param {string|boolean} enableOrNameAndArgs - enable with custom name and/or arguments, or boolean to override whether added
	* @param {string} [description] - custom description
	* @return {Command} `this` command for chaining
	*/
	helpCommand(enableOrNameAndArgs, description) {
		if (typeof enableOrNameAndArgs === "boolean") {
			this._addImplicitHelpCommand = enableOrNameAndArgs;
			if (enableOrNameAndArgs && this._defaultCommandGroup) this._initCommandGroup(this._getHelpCommand());
			return this;
		}
		const [, helpName, helpArgs] = (enableOrNameAndArgs ?? "help [command]").match(/([^ ]+) *(.*)/);
		const helpDescription = description ?? "display help for command";
		const helpCommand = this.createCommand(helpName);
		helpCommand.helpOption(false);
		if (helpArgs) helpCommand.arguments(helpArgs);
		if (helpDescription) helpCommand.description(helpDescription);
		this._addImplicitHelpCommand = true;
		this._helpCommand = helpCommand;
		if (enableOrNameAndArgs || description) this._initCommandGroup(helpCommand);
		return this;
	}
	/**
	* Add prepared custom help command.
	*
	* @param {(Command|string|boolean)} helpCommand - custom help command, or deprecated enableOrNameAndArgs as for `.helpCommand()`
	* @param {string} [deprecatedDescription] - deprecated custom description used with custom name only
	* @return {Command} `this` command for chaining
	*/
	addHelpCommand(helpCommand, deprecatedDescription) {
		if (typeof helpCommand !== "object") {
			this.helpCommand(helpCommand, deprecatedDescription);
			return this;
		}
		this._addImplicitHelpCommand = true;
		this._helpCommand = helpCommand;
		this._initCommandGroup(helpCommand);
		return this;
	}
	/**
	* Lazy create help command.
	*
	* @return {(Command|null)}
	* @package
	*/
	_getHelpCommand() {
		if (this._addImplicitHelpCommand ?? (this.commands.length && !this._actionHandler && !this._findCommand("help"))) {
			if (this._helpCommand === void 0) this.helpCommand(void 0, void 0);
			return this._helpCommand;
		}
		return null;
	}
	/**
	* Add hook for life cycle event.
	*
	* @param {string} event
	* @param {Function} listener
	* @return {Command} `this` command for chaining
	*/
	hook(event, listener) {
		const allowedValues = [
			"preSubcommand",
			"preAction",
			"postAction"
		];
		if (!allowedValues.includes(event)) throw new Error(`Unexpected value for event passed to hook : '${event}'.
Expecting one of '${allowedValues.join("', '")}'`);
		if (this._lifeCycleHooks[event]) this._lifeCycleHooks[event].push(listener);
		else this._lifeCycleHooks[event] = [listener];
		return this;
	}
	/**
	* Register callback to use as replacement for calling process.exit.
	*
	* @param {Function} [fn] optional callback which will be passed a CommanderError, defaults to throwing
	* @return {Command} `this` command for chaining
	*/
	exitOverride(fn) {
		if (fn) this._exitCallback = fn;
		else this._exitCallback = (err) => {
			if (err.code !== "commander.executeSubCommandAsync") throw err;
		};
		return this;
	}
	/**
	* Call process.exit, and _exitCallback if defined.
	*
	* @param {number} exitCode exit code for using with process.exit
	* @param {string} code an id string representing the error
	* @param {string} message human-readable description of the error
	* @return never
	* @private
	*/
	_exit(exitCode, code, message) {
		if (this._exitCallback) this._exitCallback(new CommanderError(exitCode, code, message));
		process$1.exit(exitCode);
	}
	/**
	* Register callback `fn` for the command.
	*
	* @example
	* program
	*   .command('serve')
	*   .description('start service')
	*   .action(function() {
	*      // do work here
	*   });
	*
	* @param {Function} fn
	* @return {Command} `this` command for chaining
	*/
	action(fn) {
		const listener = (args) => {
			const expectedArgsCount = this.registeredArguments.length;
			const actionArgs = args.slice(0, expectedArgsCount);
			if (this._storeOptionsAsProperties) actionArgs[expectedArgsCount] = this;
			else actionArgs[expectedArgsCount] = this.opts();
			actionArgs.push(this);
			return fn.apply(this, actionArgs);
		};
		this._actionHandler = listener;
		return this;
	}
	/**
	* Factory routine to create a new unattached option.
	*
	* See .option() for creating an attached option, which uses this routine to
	* create the option. You can override createOption to return a custom option.
	*
	* @param {string} flags
	* @param {string} [description]
	* @return {Option} new option
	*/
	createOption(flags, description) {
		return new Option(flags, description);
	}
	/**
	* Wrap parseArgs to catch 'commander.invalidArgument'.
	*
	* @param {(Option | Argument)} target
	* @param {string} value
	* @param {*} previous
	* @param {string} invalidArgumentMessage
	* @private
	*/
	_callParseArg(target, value, previous, invalidArgumentMessage) {
		try {
			return target.parseArg(value, previous);
		} catch (err) {
			if (err.code === "commander.invalidArgument") {
				const message = `${invalidArgumentMessage} ${err.message}`;
				this.error(message, {
					exitCode: err.exitCode,
					code: err.code
				});
			}
			throw err;
		}
	}
	/**
	* Check for option flag conflicts.
	* Register option if no conflicts found, or throw on conflict.
	*
	* @param {Option} option
	* @private
	*/
	_registerOption(option) {
		const matchingOption = option.short && this._findOption(option.short) || option.long && this._findOption(option.long);
		if (matchingOption) {
			const matchingFlag = option.long && this._findOption(option.long) ? option.long : option.short;
			throw new Error(`Cannot add option '${option.flags}'${this._name && ` to command '${this._name}'`} due to conflicting flag '${matchingFlag}'
-  already used by option '${matchingOption.flags}'`);
		}
		this._initOptionGroup(option);
		this.options.push(option);
	}
	/**
	* Check for command name and alias conflicts with existing commands.
	* Register command if no conflicts found, or throw on conflict.
	*
	* @param {Command} command
	* @private
	*/
	_registerCommand(command) {
		const knownBy = (cmd) => {
			return [cmd.name()].concat(cmd.aliases());
		};
		const alreadyUsed = knownBy(command).find((name) => this._findCommand(name));
		if (alreadyUsed) {
			const existingCmd = knownBy(this._findCommand(alreadyUsed)).join("|");
			const newCmd = knownBy(command).join("|");
			throw new Error(`cannot add command '${newCmd}' as already have command '${existingCmd}'`);
		}
		this._initCommandGroup(command);
		this.commands.push(command);
	}
	/**
	* Add an option.
	*
	* @param {Option} option
	* @return {Command} `this` command for chaining
	*/
	addOption(option) {
		this._registerOption(option);
		const oname = option.name();
		const name = option.attributeName();
		if (option.defaultValue !== void 0) this.setOptionValueWithSource(name, option.defaultValue, "default");
		const handleOptionValue = (val, invalidValueMessage, valueSource) => {
			if (val == null && option.presetArg !== void 0) val = option.presetArg;
			const oldValue = this.getOptionValue(name);
			if (val !== null && option.parseArg) val = this._callParseArg(option, val, oldValue, invalidValueMessage);
			else if (val !== null && option.variadic) val = option._collectValue(val, oldValue);
			if (val == null) {
				if (option.negate) val = false;
				else if (option.isBoolean() || option.optional) val = true;
				else val = "";
			}
			this.setOptionValueWithSource(name, val, valueSource);
		};
		this.on("option:" + oname, (val) => {
			const invalidValueMessage = `error: option '${option.flags}' argument '${val}' is invalid.`;
			handleOptionValue(val, invalidValueMessage, "cli");
		});
		if (option.envVar) this.on("optionEnv:" + oname, (val) => {
			const invalidValueMessage = `error: option '${option.flags}' value '${val}' from env '${option.envVar}' is invalid.`;
			handleOptionValue(val, invalidValueMessage, "env");
		});
		return this;
	}
	/**
	* Internal implementation shared by .option() and .requiredOption()
	*
	* @return {Command} `this` command for chaining
	* @private
	*/
	_optionEx(config, flags, description, fn, defaultValue) {
		if (typeof flags === "object" && flags instanceof Option) throw new Error("To add an Option object use addOption() instead of option() or requiredOption()");
		const option = this.createOption(flags, description);
		option.makeOptionMandatory(!!config.mandatory);
		if (typeof fn === "function") option.default(defaultValue).argParser(fn);
		else if (fn instanceof RegExp) {
			const regex = fn;
			fn = (val, def) => {
				const m = regex.exec(val);
				return m ? m[0] : def;
			};
			option.default(defaultValue).argParser(fn);
		} else option.default(fn);
		return this.addOption(option);
	}
	/**
	* Define option with `flags`, `description`, and optional argument parsing function or `defaultValue` or both.
	*
	* The `flags` string contains the short and/or long flags, separated by comma, a pipe or space. A required
	* option-argument is indicated by `<>` and an optional option-argument by `[]`.
	*
	* See the README for more details, and see also addOption() and requiredOption().
	*
	* @example
	* program
	*     .option('-p, --pepper', 'add pepper')
	*     .option('--pt, --pizza-type <TYPE>', 'type of pizza') // required option-argument
	*     .option('-c, --cheese [CHEESE]', 'add extra cheese', 'mozzarella') // optional option-argument with default
	*     .option('-t, --tip <VALUE>', 'add tip to purchase cost', parseFloat) // custom parse function
	*
	* @param {string} flags
	* @param {string} [description]
	* @param {(Function|*)} [parseArg] - custom option processing function or default value
	* @param {*} [defaultValue]
	* @return {Command} `this` command for chaining
	*/
	option(flags, description, parseArg, defaultValue) {
		return this._optionEx({}, flags, description, parseArg, defaultValue);
	}
	/**
	* Add a required option which must have a value after parsing. This usually means
	* the option must be specified on the command line. (Otherwise the same as .option().)
	*
	* The `flags` string contains the short and/or long flags, separated by comma, a pipe or space.
	*
	* @param {string} flags
	* @param {string} [description]
	* @param {(Function|*)} [parseArg] - custom option processing function or default value
	* @param {*} [defaultValue]
	* @return {Command} `this` command for chaining
	*/
	requiredOption(flags, description, parseArg, defaultValue) {
		return this._optionEx({ mandatory: true }, flags, description, parseArg, defaultValue);
	}
	/**
	* Alter parsing of short flags with optional values.
	*
	* @example
	* // for `.option('-f,--flag [value]'):
	* program.combineFlagAndOptionalValue(true);  // `-f80` is treated like `--flag=80`, this is the default behaviour
	* program.combineFlagAndOptionalValue(false) // `-fb` is treated like `-f -b`
	*
	* @param {boolean} [combine] - if `true` or omitted, an optional value can be specified directly after the flag.
	* @return {Command} `this` command for chaining
	*/
	combineFlagAndOptionalValue(combine = true) {
		this._combineFlagAndOptionalValue = !!combine;
		return this;
	}
	/**
	* Allow unknown options on the command line.
	*
	* @param {boolean} [allowUnknown] - if `true` or omitted, no error will be thrown for unknown options.
	* @return {Command} `this` command for chaining
	*/
	allowUnknownOption(allowUnknown = true) {
		this._allowUnknownOption = !!allowUnknown;
		return this;
	}
	/**
	* Allow excess command-arguments on the command line. Pass false to make excess arguments an error.
	*
	* @param {boolean} [allowExcess] - if `true` or omitted, no error will be thrown for excess arguments.
	* @return {Command} `this` command for chaining
	*/
	allowExcessArguments(allowExcess = true) {
		this._allowExcessArguments = !!allowExcess;
		return this;
	}
	/**
	* Enable positional options. Positional means global options are specified before subcommands which lets
	* subcommands reuse the same option names, and also enables subcommands to turn on passThroughOptions.
	* The default behaviour is non-positional and global options may appear anywhere on the command line.
	*
	* @param {boolean} [positional]
	* @return {Command} `this` command for chaining
	*/
	enablePositionalOptions(positional = true) {
		this._enablePositionalOptions = !!positional;
		return this;
	}
	/**
	* Pass through options that come after command-arguments rather than treat them as command-options,
	* so actual command-options come before command-arguments. Turning this on for a subcommand requires
	* positional options to have been enabled on the program (parent commands).
	* The default behaviour is non-positional and options may appear before or after command-arguments.
	*
	* @param {boolean} [passThrough] for unknown options.
	* @return {Command} `this` command for chaining
	*/
	passThroughOptions(passThrough = true) {
		this._passThroughOptions = !!passThrough;
		this._checkForBrokenPassThrough();
		return this;
	}
	/**
	* @private
	*/
	_checkForBrokenPassThrough() {
		if (this.parent && this._passThroughOptions && !this.parent._enablePositionalOptions) throw new Error(`passThroughOptions cannot be used for '${this._name}' without turning on enablePositionalOptions for parent command(s)`);
	}
	/**
	* Whether to store option values as properties on command object,
	* or store separately (specify false). In both cases the option values can be accessed using .opts().
	*
	* @param {boolean} [storeAsProperties=true]
	* @return {Command} `this` command for chaining
	*/
	storeOptionsAsProperties(storeAsProperties = true) {
		if (this.options.length) throw new Error("call .storeOptionsAsProperties() before adding options");
		if (Object.keys(this._optionValues).length) throw new Error("call .storeOptionsAsProperties() before setting option values");
		this._storeOptionsAsProperties = !!storeAsProperties;
		return this;
	}
	/**
	* Retrieve option value.
	*
	* @param {string} key
	* @return {object} value
	*/
	getOptionValue(key) {
		if (this._storeOptionsAsProperties) return this[key];
		return this._optionValues[key];
	}
	/**
	* Store option value.
	*
	* @param {string} key
	* @param {object} value
	* @return {Command} `this` command for chaining
	*/
	setOptionValue(key, value) {
		return this.setOptionValueWithSource(key, value, void 0);
	}
	/**
	* Store option value and where the value came from.
	*
	* @param {string} key
	* @param {object} value
	* @param {string} source - expected values are default/config/env/cli/implied
	* @return {Command} `this` command for chaining
	*/
	setOptionValueWithSource(key, value, source) {
		if (this._storeOptionsAsProperties) this[key] = value;
		else this._optionValues[key] = value;
		this._optionValueSources[key] = source;
		return this;
	}
	/**
	* Get source of option value.
	* Expected values are default | config | env | cli | implied
	*
	* @param {string} key
	* @return {string}
	*/
	getOptionValueSource(key) {
		return this._optionValueSources[key];
	}
	/**
	* Get source of option value. See also .optsWithGlobals().
	* Expected values are default | config | env | cli | implied
	*
	* @param {string} key
	* @return {string}
	*/
	getOptionValueSourceWithGlobals(key) {
		let source;
		this._getCommandAndAncestors().forEach((cmd) => {
			if (Object.hasOwn(cmd._optionValueSources, key)) source = cmd.getOptionValueSource(key);
		});
		return source;
	}
	/**
	* Get user arguments from implied or explicit arguments.
	* Side-effects: set _scriptPath if args included script. Used for default program name, and subcommand searches.
	*
	* @private
	*/
	_prepareUserArgs(argv, parseOptions) {
		if (argv !== void 0 && !Array.isArray(argv)) throw new Error("first parameter to parse must be array or undefined");
		parseOptions = parseOptions || {};
		if (argv === void 0 && parseOptions.from === void 0) {
			if (process$1.versions?.electron) parseOptions.from = "electron";
			const execArgv = process$1.execArgv ?? [];
			if (execArgv.includes("-e") || execArgv.includes("--eval") || execArgv.includes("-p") || execArgv.includes("--print")) parseOptions.from = "eval";
		}
		if (argv === void 0) argv = process$1.argv;
		this.rawArgs = argv.slice();
		let userArgs;
		switch (parseOptions.from) {
			case void 0:
			case "node":
				this._scriptPath = argv[1];
				userArgs = argv.slice(2);
				break;
			case "electron":
				if (process$1.defaultApp) {
					this._scriptPath = argv[1];
					userArgs = argv.slice(2);
				} else userArgs = argv.slice(1);
				break;
			case "user":
				userArgs = argv.slice(0);
				break;
			case "eval":
				userArgs = argv.slice(1);
				break;
			default: throw new Error(`unexpected parse option { from: '${parseOptions.from}' }`);
		}
		if (!this._name && this._scriptPath) this.nameFromFilename(this._scriptPath);
		this._name = this._name || "program";
		return userArgs;
	}
	/**
	* Parse `argv`, setting options and invoking commands when defined.
	*
	* Use parseAsync instead of parse if any of your action handlers are async.
	*
	* Call with no parameters to parse `process.argv`. Detects Electron and special node options like `node --eval`. Easy mode!
	*
	* Or call with an array of strings to parse, and optionally where the user arguments start by specifying where the arguments are `from`:
	* - `'node'`: default, `argv[0]` is the application and `argv[1]` is the script being run, with user arguments after that
	* - `'electron'`: `argv[0]` is the application and `argv[1]` varies depending on whether the electron application is packaged
	* - `'user'`: just user arguments
	*
	* @example
	* program.parse(); // parse process.argv and auto-detect electron and special node flags
	* program.parse(process.argv); // assume argv[0] is app and argv[1] is script
	* program.parse(my-args, { from: 'user' }); // just user supplied arguments, nothing special about argv[0]
	*
	* @param {string[]} [argv] - optional, defaults to process.argv
	* @param {object} [parseOptions] - optionally specify style of options with from: node/user/electron
	* @param {string} [parseOptions.from] - where the args are from: 'node', 'user', 'electron'
	* @return {Command} `this` command for chaining
	*/
	parse(argv, parseOptions) {
		this._prepareForParse();
		const userArgs = this._prepareUserArgs(argv, parseOptions);
		this._parseCommand([], userArgs);
		return this;
	}
	/**
	* Parse `argv`, setting options and invoking commands when defined.
	*
	* Call with no parameters to parse `process.argv`. Detects Electron and special node options like `node --eval`. Easy mode!
	*
	* Or call with an array of strings to parse, and optionally where the user arguments start by specifying where the arguments are `from`:
	* - `'node'`: default, `argv[0]` is the application and `argv[1]` is the script being run, with user arguments after that
	* - `'electron'`: `argv[0]` is the application and `argv[1]` varies depending on whether the electron application is packaged
	* - `'user'`: just user arguments
	*
	* @example
	* await program.parseAsync(); // parse process.argv and auto-detect electron and special node flags
	* await program.parseAsync(process.argv); // assume argv[0] is app and argv[1] is script
	* await program.parseAsync(my-args, { from: 'user' }); // just user supplied arguments, nothing special about argv[0]
	*
	* @param {string[]} [argv]
	* @param {object} [parseOptions]
	* @param {string} parseOptions.from - where the args are from: 'node', 'user', 'electron'
	* @return {Promise}
	*/
	async parseAsync(argv, parseOptions) {
		this._prepareForParse();
		const userArgs = this._prepareUserArgs(argv, parseOptions);
		await this._parseCommand([], userArgs);
		return this;
	}
	_prepareForParse() {
		if (this._savedState === null) {
			this.options.filter((option) => option.negate && option.defaultValue === void 0 && this.getOptionValue(option.attributeName()) === void 0).forEach((option) => {
				const positiveLongFlag = option.long.replace(/^--no-/, "--");
				if (!this._findOption(positiveLongFlag)) this.setOptionValueWithSource(option.attributeName(), true, "default");
			});
			this.saveStateBeforeParse();
		} else this.restoreStateBeforeParse();
	}
	/**
	* Called the first time parse is called to save state and allow a restore before subsequent calls to parse.
	* Not usually called directly, but available for subclasses to save their custom state.
	*
	* This is called in a lazy way. Only commands used in parsing chain will have state saved.
	*/
	saveStateBeforeParse() {
		this._savedState = {
			_name: this._name,
			_optionValues: { ...this._optionValues },
			_optionValueSources: { ...this._optionValueSources }
		};
	}
	/**
	* Restore state before parse for calls after the first.
	* Not usually called directly, but available for subclasses to save their custom state.
	*
	* This is called in a lazy way. Only commands used in parsing chain will have state restored.
	*/
	restoreStateBeforeParse() {
		if (this._storeOptionsAsProperties) throw new Error(`Can not call parse again when storeOptionsAsProperties is true.
- either make a new Command for each call to parse, or stop storing options as properties`);
		this._name = this._savedState._name;
		this._scriptPath = null;
		this.rawArgs = [];
		this._optionValues = { ...this._savedState._optionValues };
		this._optionValueSources = { ...this._savedState._optionValueSources };
		this.args = [];
		this.processedArgs = [];
	}
	/**
	* Throw if expected executable is missing. Add lots of help for author.
	*
	* @param {string} executableFile
	* @param {string} executableDir
	* @param {string} subcommandName
	*/
	_checkForMissingExecutable(executableFile, executableDir, subcommandName) {
		if (fs.existsSync(executableFile)) return;
		const executableMissing = `'${executableFile}' does not exist
 - if '${subcommandName}' is not meant to be an executable command, remove description parameter from '.command()' and use '.description()' instead
 - if the default executable name is not suitable, use the executableFile option to supply a custom name or path
 - ${executableDir ? `searched for local subcommand relative to directory '${executableDir}'` : "no directory for search for local subcommand, use .executableDir() to supply a custom directory"}`;
		throw new Error(executableMissing);
	}
	/**
	* Execute a sub-command executable.
	*
	* @private
	*/
	_executeSubCommand(subcommand, args) {
		args = args.slice();
		const sourceExt = [
			".js",
			".ts",
			".tsx",
			".mjs",
			".cjs"
		];
		function findFile(baseDir, baseName) {
			const localBin = path.resolve(baseDir, baseName);
			if (fs.existsSync(localBin)) return localBin;
			if (sourceExt.includes(path.extname(baseName))) return void 0;
			const foundExt = sourceExt.find((ext) => fs.existsSync(`${localBin}${ext}`));
			if (foundExt) return `${localBin}${foundExt}`;
		}
		this._checkForMissingMandatoryOptions();
		this._checkForConflictingOptions();
		let executableFile = subcommand._executableFile || `${this._name}-${subcommand._name}`;
		let executableDir = this._executableDir || "";
		if (this._scriptPath) {
			let resolvedScriptPath;
			try {
				resolvedScriptPath = fs.realpathSync(this._scriptPath);
			} catch {
				resolvedScriptPath = this._scriptPath;
			}
			executableDir = path.resolve(path.dirname(resolvedScriptPath), executableDir);
		}
		if (executableDir) {
			let localFile = findFile(executableDir, executableFile);
			if (!localFile && !subcommand._executableFile && this._scriptPath) {
				const legacyName = path.basename(this._scriptPath, path.extname(this._scriptPath));
				if (legacyName !== this._name) localFile = findFile(executableDir, `${legacyName}-${subcommand._name}`);
			}
			executableFile = localFile || executableFile;
		}
		const launchWithNode = sourceExt.includes(path.extname(executableFile));
		let proc;
		if (process$1.platform !== "win32") {
			if (launchWithNode) {
				args.unshift(executableFile);
				args = incrementNodeInspectorPort(process$1.execArgv).concat(args);
				proc = childProcess.spawn(process$1.argv[0], args, { stdio: "inherit" });
			} else proc = childProcess.spawn(executableFile, args, { stdio: "inherit" });
		} else {
			this._checkForMissingExecutable(executableFile, executableDir, subcommand._name);
			args.unshift(executableFile);
			args = incrementNodeInspectorPort(process$1.execArgv).concat(args);
			proc = childProcess.spawn(process$1.execPath, args, { stdio: "inherit" });
		}
		if (!proc.killed) [
			"SIGUSR1",
			"SIGUSR2",
			"SIGTERM",
			"SIGINT",
			"SIGHUP"
		].forEach((signal) => {
			process$1.on(signal, () => {
				if (proc.killed === false && proc.exitCode === null) proc.kill(signal);
			});
		});
		const exitCallback = this._exitCallback;
		proc.on("close", (code) => {
			code = code ?? 1;
			if (!exitCallback) process$1.exit(code);
			else exitCallback(new CommanderError(code, "commander.executeSubCommandAsync", "(close)"));
		});
		proc.on("error", (err) => {
			if (err.code === "ENOENT") this._checkForMissingExecutable(executableFile, executableDir, subcommand._name);
			else if (err.code === "EACCES") throw new Error(`'${executableFile}' not executable`);
			if (!exitCallback) process$1.exit(1);
			else {
				const wrappedError = new CommanderError(1, "commander.executeSubCommandAsync", "(error)");
				wrappedError.nestedError = err;
				exitCallback(wrappedError);
			}
		});
		this.runningCommand = proc;
	}
	/**
	* @private
	*/
	_dispatchSubcommand(commandName, operands, unknown) {
		const subCommand = this._findCommand(commandName);
		if (!subCommand) this.help({ error: true });
		subCommand._prepareForParse();
		let promiseChain;
		promiseChain = this._chainOrCallSubCommandHook(promiseChain, subCommand, "preSubcommand");
		promiseChain = this._chainOrCall(promiseChain, () => {
			if (subCommand._executableHandler) this._executeSubCommand(subCommand, operands.concat(unknown));
			else return subCommand._parseCommand(operands, unknown);
		});
		return promiseChain;
	}
	/**
	* Invoke help directly if possible, or dispatch if necessary.
	* e.g. help foo
	*
	* @private
	*/
	_dispatchHelpCommand(subcommandName) {
		if (!subcommandName) this.help();
		const subCommand = this._findCommand(subcommandName);
		if (subCommand && !subCommand._executableHandler) subCommand.help();
		return this._dispatchSubcommand(subcommandName, [], [this._getHelpOption()?.long ?? this._getHelpOption()?.short ?? "--help"]);
	}
	/**
	* Check this.args against expected this.registeredArguments.
	*
	* @private
	*/
	_checkNumberOfArguments() {
		this.registeredArguments.forEach((arg, i) => {
			if (arg.required && this.args[i] == null) this.missingArgument(arg.name());
		});
		if (this.registeredArguments.length > 0 && this.registeredArguments[this.registeredArguments.length - 1].variadic) return;
		if (this.args.length > this.registeredArguments.length) this._excessArguments(this.args);
	}
	/**
	* Process this.args using this.registeredArguments and save as this.processedArgs!
	*
	* @private
	*/
	_processArguments() {
		const myParseArg = (argument, value, previous) => {
			let parsedValue = value;
			if (value !== null && argument.parseArg) {
				const invalidValueMessage = `error: command-argument value '${value}' is invalid for argument '${argument.name()}'.`;
				parsedValue = this._callParseArg(argument, value, previous, invalidValueMessage);
			}
			return parsedValue;
		};
		this._checkNumberOfArguments();
		const processedArgs = [];
		this.registeredArguments.forEach((declaredArg, index) => {
			let value = declaredArg.defaultValue;
			if (declaredArg.variadic) {
				if (index < this.args.length) {
					value = this.args.slice(index);
					if (declaredArg.parseArg) value = value.reduce((processed, v) => {
						return myParseArg(declaredArg, v, processed);
					}, declaredArg.defaultValue);
				} else if (value === void 0) value = [];
			} else if (index < this.args.length) {
				value = this.args[index];
				if (declaredArg.parseArg) value = myParseArg(declaredArg, value, declaredArg.defaultValue);
			}
			processedArgs[index] = value;
		});
		this.processedArgs = processedArgs;
	}
	/**
	* Once we have a promise we chain, but call synchronously until then.
	*
	* @param {(Promise|undefined)} promise
	* @param {Function} fn
	* @return {(Promise|undefined)}
	* @private
	*/
	_chainOrCall(promise, fn) {
		if (promise?.then && typeof promise.then === "function") return promise.then(() => fn());
		return fn();
	}
	/**
	*
	* @param {(Promise|undefined)} promise
	* @param {string} event
	* @return {(Promise|undefined)}
	* @private
	*/
	_chainOrCallHooks(promise, event) {
		let result = promise;
		const hooks = [];
		this._getCommandAndAncestors().reverse().filter((cmd) => cmd._lifeCycleHooks[event] !== void 0).forEach((hookedCommand) => {
			hookedCommand._lifeCycleHooks[event].forEach((callback) => {
				hooks.push({
					hookedCommand,
					callback
				});
			});
		});
		if (event === "postAction") hooks.reverse();
		hooks.forEach((hookDetail) => {
			result = this._chainOrCall(result, () => {
				return hookDetail.callback(hookDetail.hookedCommand, this);
			});
		});
		return result;
	}
	/**
	*
	* @param {(Promise|undefined)} promise
	* @param {Command} subCommand
	* @param {string} event
	* @return {(Promise|undefined)}
	* @private
	*/
	_chainOrCallSubCommandHook(promise, subCommand, event) {
		let result = promise;
		if (this._lifeCycleHooks[event] !== void 0) this._lifeCycleHooks[event].forEach((hook) => {
			result = this._chainOrCall(result, () => {
				return hook(this, subCommand);
			});
		});
		return result;
	}
	/**
	* Process arguments in context of this command.
	* Returns action result, in case it is a promise.
	*
	* @private
	*/
	_parseCommand(operands, unknown) {
		const parsed = this.parseOptions(unknown);
		this._parseOptionsEnv();
		this._parseOptionsImplied();
		operands = operands.concat(parsed.operands);
		unknown = parsed.unknown;
		this.args = operands.concat(unknown);
		if (operands && this._findCommand(operands[0])) return this._dispatchSubcommand(operands[0], operands.slice(1), unknown);
		if (this._getHelpCommand() && operands[0] === this._getHelpCommand().name()) return this._dispatchHelpCommand(operands[1]);
		if (this._defaultCommandName) {
			this._outputHelpIfRequested(unknown);
			return this._dispatchSubcommand(this._defaultCommandName, operands, unknown);
		}
		if (this.commands.length && this.args.length === 0 && !this._actionHandler && !this._defaultCommandName) this.help({ error: true });
		this._outputHelpIfRequested(parsed.unknown);
		this._checkForMissingMandatoryOptions();
		this._checkForConflictingOptions();
		const checkForUnknownOptions = () => {
			if (parsed.unknown.length > 0) this.unknownOption(parsed.unknown[0]);
		};
		const commandEvent = `command:${this.name()}`;
		if (this._actionHandler) {
			checkForUnknownOptions();
			this._processArguments();
			let promiseChain;
			promiseChain = this._chainOrCallHooks(promiseChain, "preAction");
			promiseChain = this._chainOrCall(promiseChain, () => this._actionHandler(this.processedArgs));
			if (this.parent) promiseChain = this._chainOrCall(promiseChain, () => {
				this.parent.emit(commandEvent, operands, unknown);
			});
			promiseChain = this._chainOrCallHooks(promiseChain, "postAction");
			return promiseChain;
		}
		if (this.parent?.listenerCount(commandEvent)) {
			checkForUnknownOptions();
			this._processArguments();
			this.parent.emit(commandEvent, operands, unknown);
		} else if (operands.length) {
			if (this._findCommand("*")) return this._dispatchSubcommand("*", operands, unknown);
			if (this.listenerCount("command:*")) this.emit("command:*", operands, unknown);
			else if (this.commands.length) this.unknownCommand();
			else {
				checkForUnknownOptions();
				this._processArguments();
			}
		} else if (this.commands.length) {
			checkForUnknownOptions();
			this.help({ error: true });
		} else {
			checkForUnknownOptions();
			this._processArguments();
		}
	}
	/**
	* Find matching command.
	*
	* @private
	* @return {Command | undefined}
	*/
	_findCommand(name) {
		if (!name) return void 0;
		return this.commands.find((cmd) => cmd._name === name || cmd._aliases.includes(name));
	}
	/**
	* Return an option matching `arg` if any.
	*
	* @param {string} arg
	* @return {Option}
	* @package
	*/
	_findOption(arg) {
		return this.options.find((option) => option.is(arg));
	}
	/**
	* Display an error message if a mandatory option does not have a value.
	* Called after checking for help flags in leaf subcommand.
	*
	* @private
	*/
	_checkForMissingMandatoryOptions() {
		this._getCommandAndAncestors().forEach((cmd) => {
			cmd.options.forEach((anOption) => {
				if (anOption.mandatory && cmd.getOptionValue(anOption.attributeName()) === void 0) cmd.missingMandatoryOptionValue(anOption);
			});
		});
	}
	/**
	* Display an error message if conflicting options are used together in this.
	*
	* @private
	*/
	_checkForConflictingLocalOptions() {
		const definedNonDefaultOptions = this.options.filter((option) => {
			const optionKey = option.attributeName();
			if (this.getOptionValue(optionKey) === void 0) return false;
			return this.getOptionValueSource(optionKey) !== "default";
		});
		definedNonDefaultOptions.filter((option) => option.conflictsWith.length > 0).forEach((option) => {
			const conflictingAndDefined = definedNonDefaultOptions.find((defined) => option.conflictsWith.includes(defined.attributeName()));
			if (conflictingAndDefined) this._conflictingOption(option, conflictingAndDefined);
		});
	}
	/**
	* Display an error message if conflicting options are used together.
	* Called after checking for help flags in leaf subcommand.
	*
	* @private
	*/
	_checkForConflictingOptions() {
		this._getCommandAndAncestors().forEach((cmd) => {
			cmd._checkForConflictingLocalOptions();
		});
	}
	/**
	* Parse options from `argv` removing known options,
	* and return argv split into operands and unknown arguments.
	*
	* Side effects: modifies command by storing options. Does not reset state if called again.
	*
	* Examples:
	*
	*     argv => operands, unknown
	*     --known kkk op => [op], []
	*     op --known kkk => [op], []
	*     sub --unknown uuu op => [sub], [--unknown uuu op]
	*     sub -- --unknown uuu op => [sub --unknown uuu op], []
	*
	* @param {string[]} args
	* @return {{operands: string[], unknown: string[]}}
	*/
	parseOptions(args) {
		const operands = [];
		const unknown = [];
		let dest = operands;
		function maybeOption(arg) {
			return arg.length > 1 && arg[0] === "-";
		}
		const negativeNumberArg = (arg) => {
			if (!/^-(\d+|\d*\.\d+)([eE][+-]?\d+)?$/.test(arg)) return false;
			return !this._getCommandAndAncestors().some((cmd) => cmd.options.map((opt) => opt.short).some((short) => /^-\d$/.test(short)));
		};
		let activeVariadicOption = null;
		let activeGroup = null;
		let i = 0;
		while (i < args.length || activeGroup) {
			const arg = activeGroup ?? args[i++];
			activeGroup = null;
			if (arg === "--") {
				if (dest === unknown) dest.push(arg);
				dest.push(...args.slice(i));
				break;
			}
			if (activeVariadicOption && (!maybeOption(arg) || negativeNumberArg(arg))) {
				this.emit(`option:${activeVariadicOption.name()}`, arg);
				continue;
			}
			activeVariadicOption = null;
			if (maybeOption(arg)) {
				const option = this._findOption(arg);
				if (option) {
					if (option.required) {
						const value = args[i++];
						if (value === void 0) this.optionMissingArgument(option);
						this.emit(`option:${option.name()}`, value);
					} else if (option.optional) {
						let value = null;
						if (i < args.length && (!maybeOption(args[i]) || negativeNumberArg(args[i]))) value = args[i++];
						this.emit(`option:${option.name()}`, value);
					} else this.emit(`option:${option.name()}`);
					activeVariadicOption = option.variadic ? option : null;
					continue;
				}
			}
			if (arg.length > 2 && arg[0] === "-" && arg[1] !== "-") {
				const option = this._findOption(`-${arg[1]}`);
				if (option) {
					if (option.required || option.optional && this._combineFlagAndOptionalValue) this.emit(`option:${option.name()}`, arg.slice(2));
					else {
						this.emit(`option:${option.name()}`);
						activeGroup = `-${arg.slice(2)}`;
					}
					continue;
				}
			}
			if (/^--[^=]+=/.test(arg)) {
				const index = arg.indexOf("=");
				const option = this._findOption(arg.slice(0, index));
				if (option && (option.required || option.optional)) {
					this.emit(`option:${option.name()}`, arg.slice(index + 1));
					continue;
				}
			}
			if (dest === operands && maybeOption(arg) && !(this.commands.length === 0 && negativeNumberArg(arg))) dest = unknown;
			if ((this._enablePositionalOptions || this._passThroughOptions) && operands.length === 0 && unknown.length === 0) {
				if (this._findCommand(arg)) {
					operands.push(arg);
					unknown.push(...args.slice(i));
					break;
				} else if (this._getHelpCommand() && arg === this._getHelpCommand().name()) {
					operands.push(arg, ...args.slice(i));
					break;
				} else if (this._defaultCommandName) {
					unknown.push(arg, ...args.slice(i));
					break;
				}
			}
			if (this._passThroughOptions) {
				dest.push(arg, ...args.slice(i));
				break;
			}
			dest.push(arg);
		}
		return {
			operands,
			unknown
		};
	}
	/**
	* Return an object containing local option values as key-value pairs.
	*
	* @return {object}
	*/
	opts() {
		if (this._storeOptionsAsProperties) {
			const result = {};
			const len = this.options.length;
			for (let i = 0; i < len; i++) {
				const key = this.options[i].attributeName();
				result[key] = key === this._versionOptionName ? this._version : this[key];
			}
			return result;
		}
		return this._optionValues;
	}
	/**
	* Return an object containing merged local and global option values as key-value pairs.
	*
	* @return {object}
	*/
	optsWithGlobals() {
		return this._getCommandAndAncestors().reduce((combinedOptions, cmd) => Object.assign(combinedOptions, cmd.opts()), {});
	}
	/**
	* Display error message and exit (or call exitOverride).
	*
	* @param {string} message
	* @param {object} [errorOptions]
	* @param {string} [errorOptions.code] - an id string representing the error
	* @param {number} [errorOptions.exitCode] - used with process.exit
	*/
	error(message, errorOptions) {
		this._outputConfiguration.outputError(`${message}\n`, this._outputConfiguration.writeErr);
		if (typeof this._showHelpAfterError === "string") this._outputConfiguration.writeErr(`${this._showHelpAfterError}\n`);
		else if (this._showHelpAfterError) {
			this._outputConfiguration.writeErr("\n");
			this.outputHelp({ error: true });
		}
		const config = errorOptions || {};
		const exitCode = config.exitCode || 1;
		const code = config.code || "commander.error";
		this._exit(exitCode, code, message);
	}
	/**
	* Apply any option related environment variables, if option does
	* not have a value from cli or client code.
	*
	* @private
	*/
	_parseOptionsEnv() {
		this.options.forEach((option) => {
			if (option.envVar && option.envVar in process$1.env) {
				const optionKey = option.attributeName();
				if (this.getOptionValue(optionKey) === void 0 || [
					"default",
					"config",
					"env"
				].includes(this.getOptionValueSource(optionKey))) {
					if (option.required || option.optional) this.emit(`optionEnv:${option.name()}`, process$1.env[option.envVar]);
					else this.emit(`optionEnv:${option.name()}`);
				}
			}
		});
	}
	/**
	* Apply any implied option values, if option is undefined or default value.
	*
	* @private
	*/
	_parseOptionsImplied() {
		const dualHelper = new DualOptions(this.options);
		const hasCustomOptionValue = (optionKey) => {
			return this.getOptionValue(optionKey) !== void 0 && !["default", "implied"].includes(this.getOptionValueSource(optionKey));
		};
		this.options.filter((option) => option.implied !== void 0 && hasCustomOptionValue(option.attributeName()) && dualHelper.valueFromOption(this.getOptionValue(option.attributeName()), option)).forEach((option) => {
			Object.keys(option.implied).filter((impliedKey) => !hasCustomOptionValue(impliedKey)).forEach((impliedKey) => {
				this.setOptionValueWithSource(impliedKey, option.implied[impliedKey], "implied");
			});
		});
	}
	/**
	* Argument `name` is missing.
	*
	* @param {string} name
	* @private
	*/
	missingArgument(name) {
		const message = `error: missing required argument '${name}'`;
		this.error(message, { code: "commander.missingArgument" });
	}
	/**
	* `Option` is missing an argument.
	*
	* @param {Option} option
	* @private
	*/
	optionMissingArgument(option) {
		const message = `error: option '${option.flags}' argument missing`;
		this.error(message, { code: "commander.optionMissingArgument" });
	}
	/**
	* `Option` does not have a value, and is a mandatory option.
	*
	* @param {Option} option
	* @private
	*/
	missingMandatoryOptionValue(option) {
		const message = `error: required option '${option.flags}' not specified`;
		this.error(message, { code: "commander.missingMandatoryOptionValue" });
	}
	/**
	* `Option` conflicts with another option.
	*
	* @param {Option} option
	* @param {Option} conflictingOption
	* @private
	*/
	_conflictingOption(option, conflictingOption) {
		const findBestOptionFromValue = (option) => {
			const optionKey = option.attributeName();
			const optionValue = this.getOptionValue(optionKey);
			const negativeOption = this.options.find((target) => target.negate && optionKey === target.attributeName());
			const positiveOption = this.options.find((target) => !target.negate && optionKey === target.attributeName());
			if (negativeOption && (negativeOption.presetArg === void 0 && optionValue === false || negativeOption.presetArg !== void 0 && optionValue === negativeOption.presetArg)) return negativeOption;
			return positiveOption || option;
		};
		const getErrorMessage = (option) => {
			const bestOption = findBestOptionFromValue(option);
			const optionKey = bestOption.attributeName();
			if (this.getOptionValueSource(optionKey) === "env") return `environment variable '${bestOption.envVar}'`;
			return `option '${bestOption.flags}'`;
		};
		const message = `error: ${getErrorMessage(option)} cannot be used with ${getErrorMessage(conflictingOption)}`;
		this.error(message, { code: "commander.conflictingOption" });
	}
	/**
	* Unknown option `flag`.
	*
	* @param {string} flag
	* @private
	*/
	unknownOption(flag) {
		if (this._allowUnknownOption) return;
		let suggestion = "";
		if (flag.startsWith("--") && this._showSuggestionAfterError) {
			let candidateFlags = [];
			let command = this;
			do {
				const moreFlags = command.createHelp().visibleOptions(command).filter((option) => option.long).map((option) => option.long);
				candidateFlags = candidateFlags.concat(moreFlags);
				command = command.parent;
			} while (command && !command._enablePositionalOptions);
			suggestion = suggestSimilar(flag, candidateFlags);
		}
		const message = `error: unknown option '${flag}'${suggestion}`;
		this.error(message, { code: "commander.unknownOption" });
	}
	/**
	* Excess arguments, more than expected.
	*
	* @param {string[]} receivedArgs
	* @private
	*/
	_excessArguments(receivedArgs) {
		if (this._allowExcessArguments) return;
		const expected = this.registeredArguments.length;
		const s = expected === 1 ? "" : "s";
		const received = receivedArgs.length;
		const message = `error: too many arguments${this.parent ? ` for '${this.name()}'` : ""}. Expected ${expected} argument${s} but got ${received}: ${receivedArgs.join(", ")}.`;
		this.error(message, { code: "commander.excessArguments" });
	}
	/**
	* Unknown command.
	*
	* @private
	*/
	unknownCommand() {
		const unknownName = this.args[0];
		let suggestion = "";
		if (this._showSuggestionAfterError) {
			const candidateNames = [];
			this.createHelp().visibleCommands(this).forEach((command) => {
				candidateNames.push(command.name());
				if (command.alias()) candidateNames.push(command.alias());
			});
			suggestion = suggestSimilar(unknownName, candidateNames);
		}
		const message = `error: unknown command '${unknownName}'${suggestion}`;
		this.error(message, { code: "commander.unknownCommand" });
	}
	/**
	* Get or set the program version.
	*
	* This method auto-registers the "-V, --version" option which will print the version number.
	*
	* You can optionally supply the flags and description to override the defaults.
	*
	* @param {string} [str]
	* @param {string} [flags]
	* @param {string} [description]
	* @return {(this | string | undefined)} `this` command for chaining, or version string if no arguments
	*/
	version(str, flags, description) {
		if (str === void 0) return this._version;
		this._version = str;
		flags = flags || "-V, --version";
		description = description || "output the version number";
		const versionOption = this.createOption(flags, description);
		this._versionOptionName = versionOption.attributeName();
		this._registerOption(versionOption);
		this.on("option:" + versionOption.name(), () => {
			this._outputConfiguration.writeOut(`${str}\n`);
			this._exit(0, "commander.version", str);
		});
		return this;
	}
	/**
	* Set the description.
	*
	* @param {string} [str]
	* @param {object} [argsDescription]
	* @return {(string|Command)}
	*/
	description(str, argsDescription) {
		if (str === void 0 && argsDescription === void 0) return this._description;
		this._description = str;
		if (argsDescription) this._argsDescription = argsDescription;
		return this;
	}
	/**
	* Set the summary. Used when listed as subcommand of parent.
	*
	* @param {string} [str]
	* @return {(string|Command)}
	*/
	summary(str) {
		if (str === void 0) return this._summary;
		this._summary = str;
		return this;
	}
	/**
	* Set an alias for the command.
	*
	* You may call more than once to add multiple aliases. Only the first alias is shown in the auto-generated help.
	*
	* @param {string} [alias]
	* @return {(string|Command)}
	*/
	alias(alias) {
		if (alias === void 0) return this._aliases[0];
		/** @type {Command} */
		let command = this;
		if (this.commands.length !== 0 && this.commands[this.commands.length - 1]._executableHandler) command = this.commands[this.commands.length - 1];
		if (alias === command._name) throw new Error("Command alias can't be the same as its name");
		const matchingCommand = this.parent?._findCommand(alias);
		if (matchingCommand) {
			const existingCmd = [matchingCommand.name()].concat(matchingCommand.aliases()).join("|");
			throw new Error(`cannot add alias '${alias}' to command '${this.name()}' as already have command '${existingCmd}'`);
		}
		command._aliases.push(alias);
		return this;
	}
	/**
	* Set aliases for the command.
	*
	* Only the first alias is shown in the auto-generated help.
	*
	* @param {string[]} [aliases]
	* @return {(string[]|Command)}
	*/
	aliases(aliases) {
		if (aliases === void 0) return this._aliases;
		aliases.forEach((alias) => this.alias(alias));
		return this;
	}
	/**
	* Set / get the command usage `str`.
	*
	* @param {string} [str]
	* @return {(string|Command)}
	*/
	usage(str) {
		if (str === void 0) {
			if (this._usage) return this._usage;
			const args = this.registeredArguments.map((arg) => {
				return humanReadableArgName(arg);
			});
			return [].concat(this.options.length || this._helpOption !== null ? "[options]" : [], this.commands.length ? "[command]" : [], this.registeredArguments.length ? args : []).join(" ");
		}
		this._usage = str;
		return this;
	}
	/**
	* Get or set the name of the command.
	*
	* @param {string} [str]
	* @return {(string|Command)}
	*/
	name(str) {
		if (str === void 0) return this._name;
		this._name = str;
		return this;
	}
	/**
	* Set/get the help group heading for this subcommand in parent command's help.
	*
	* @param {string} [heading]
	* @return {Command | string}
	*/
	helpGroup(heading) {
		if (heading === void 0) return this._helpGroupHeading ?? "";
		this._helpGroupHeading = heading;
		return this;
	}
	/**
	* Set/get the default help group heading for subcommands added to this command.
	* (This does not override a group set directly on the subcommand using .helpGroup().)
	*
	* @example
	* program.commandsGroup('Development Commands:');
	* program.command('watch')...
	* program.command('lint')...
	* ...
	*
	* @param {string} [heading]
	* @returns {Command | string}
	*/
	commandsGroup(heading) {
		if (heading === void 0) return this._defaultCommandGroup ?? "";
		this._defaultCommandGroup = heading;
		return this;
	}
	/**
	* Set/get the default help group heading for options added to this command.
	* (This does not override a group set directly on the option using .helpGroup().)
	*
	* @example
	* program
	*   .optionsGroup('Development Options:')
	*   .option('-d, --debug', 'output extra debugging')
	*   .option('-p, --profile', 'output profiling information')
	*
	* @param {string} [heading]
	* @returns {Command | string}
	*/
	optionsGroup(heading) {
		if (heading === void 0) return this._defaultOptionGroup ?? "";
		this._defaultOptionGroup = heading;
		return this;
	}
	/**
	* @param {Option} option
	* @private
	*/
	_initOptionGroup(option) {
		if (this._defaultOptionGroup && !option.helpGroupHeading) option.helpGroup(this._defaultOptionGroup);
	}
	/**
	* @param {Command} cmd
	* @private
	*/
	_initCommandGroup(cmd) {
		if (this._defaultCommandGroup && !cmd.helpGroup()) cmd.helpGroup(this._defaultCommandGroup);
	}
	/**
	* Set the name of the command from script filename, such as process.argv[1],
	* or import.meta.filename.
	*
	* (Used internally and public although not documented in README.)
	*
	* @example
	* program.nameFromFilename(import.meta.filename);
	*
	* @param {string} filename
	* @return {Command}
	*/
	nameFromFilename(filename) {
		this._name = path.basename(filename, path.extname(filename));
		return this;
	}
	/**
	* Get or set the directory for searching for executable subcommands of this command.
	*
	* @example
	* program.executableDir(import.meta.dirname);
	* // or
	* program.executableDir('subcommands');
	*
	* @param {string} [path]
	* @return {(string|null|Command)}
	*/
	executableDir(path) {
		if (path === void 0) return this._executableDir;
		this._executableDir = path;
		return this;
	}
	/**
	* Return program help documentation.
	*
	* @param {{ error: boolean }} [contextOptions] - pass {error:true} to wrap for stderr instead of stdout
	* @return {string}
	*/
	helpInformation(contextOptions) {
		const helper = this.createHelp();
		const context = this._getOutputContext(contextOptions);
		helper.prepareContext({
			error: context.error,
			helpWidth: context.helpWidth,
			outputHasColors: context.hasColors
		});
		const text = helper.formatHelp(this, helper);
		if (context.hasColors) return text;
		return this._outputConfiguration.stripColor(text);
	}
	/**
	* @typedef HelpContext
	* @type {object}
	* @property {boolean} error
	* @property {number} helpWidth
	* @property {boolean} hasColors
	* @property {function} write - includes stripColor if needed
	*
	* @returns {HelpContext}
	* @private
	*/
	_getOutputContext(contextOptions) {
		contextOptions = contextOptions || {};
		const error = !!contextOptions.error;
		let baseWrite;
		let hasColors;
		let helpWidth;
		if (error) {
			baseWrite = (str) => this._outputConfiguration.writeErr(str);
			hasColors = this._outputConfiguration.getErrHasColors();
			helpWidth = this._outputConfiguration.getErrHelpWidth();
		} else {
			baseWrite = (str) => this._outputConfiguration.writeOut(str);
			hasColors = this._outputConfiguration.getOutHasColors();
			helpWidth = this._outputConfiguration.getOutHelpWidth();
		}
		const write = (str) => {
			if (!hasColors) str = this._outputConfiguration.stripColor(str);
			return baseWrite(str);
		};
		return {
			error,
			write,
			hasColors,
			helpWidth
		};
	}
	/**
	* Output help information for this command.
	*
	* Outputs built-in help, and custom text added using `.addHelpText()`.
	*
	* @param {{ error: boolean } | Function} [contextOptions] - pass {error:true} to write to stderr instead of stdout
	*/
	outputHelp(contextOptions) {
		let deprecatedCallback;
		if (typeof contextOptions === "function") {
			deprecatedCallback = contextOptions;
			contextOptions = void 0;
		}
		const outputContext = this._getOutputContext(contextOptions);
		/** @type {HelpTextEventContext} */
		const eventContext = {
			error: outputContext.error,
			write: outputContext.write,
			command: this
		};
		this._getCommandAndAncestors().reverse().forEach((command) => command.emit("beforeAllHelp", eventContext));
		this.emit("beforeHelp", eventContext);
		let helpInformation = this.helpInformation({ error: outputContext.error });
		if (deprecatedCallback) {
			helpInformation = deprecatedCallback(helpInformation);
			if (typeof helpInformation !== "string" && !Buffer.isBuffer(helpInformation)) throw new Error("outputHelp callback must return a string or a Buffer");
		}
		outputContext.write(helpInformation);
		if (this._getHelpOption()?.long) this.emit(this._getHelpOption().long);
		this.emit("afterHelp", eventContext);
		this._getCommandAndAncestors().forEach((command) => command.emit("afterAllHelp", eventContext));
	}
	/**
	* You can pass in flags and a description to customise the built-in help option.
	* Pass in false to disable the built-in help option.
	*
	* @example
	* program.helpOption('-?, --help', 'show help'); // customise
	* program.helpOption(false); // disable
	*
	* @param {(string | boolean)} flags
	* @param {string} [description]
	* @return {Command} `this` command for chaining
	*/
	helpOption(flags, description) {
		if (typeof flags === "boolean") {
			if (flags) {
				if (this._helpOption === null) this._helpOption = void 0;
				if (this._defaultOptionGroup) this._initOptionGroup(this._getHelpOption());
			} else this._helpOption = null;
			return this;
		}
		this._helpOption = this.createOption(flags ?? "-h, --help", description ?? "display help for command");
		if (flags || description) this._initOptionGroup(this._helpOption);
		return this;
	}
	/**
	* Lazy create help option.
	* Returns null if has been disabled with .helpOption(false).
	*
	* @returns {(Option | null)} the help option
	* @package
	*/
	_getHelpOption() {
		if (this._helpOption === void 0) this.helpOption(void 0, void 0);
		return this._helpOption;
	}
	/**
	* Supply your own option to use for the built-in help option.
	* This is an alternative to using helpOption() to customise the flags and description etc.
	*
	* @param {Option} option
	* @return {Command} `this` command for chaining
	*/
	addHelpOption(option) {
		this._helpOption = option;
		this._initOptionGroup(option);
		return this;
	}
	/**
	* Output help information and exit.
	*
	* Outputs built-in help, and custom text added using `.addHelpText()`.
	*
	* @param {{ error: boolean }} [contextOptions] - pass {error:true} to write to stderr instead of stdout
	*/
	help(contextOptions) {
		this.outputHelp(contextOptions);
		let exitCode = Number(process$1.exitCode ?? 0);
		if (exitCode === 0 && contextOptions && typeof contextOptions !== "function" && contextOptions.error) exitCode = 1;
		this._exit(exitCode, "commander.help", "(outputHelp)");
	}
	/**
	* // Do a little typing to coordinate emit and listener for the help text events.
	* @typedef HelpTextEventContext
	* @type {object}
	* @property {boolean} error
	* @property {Command} command
	* @property {function} write
	*/
	/**
	* Add additional text to be displayed with the built-in help.
	*
	* Position is 'before' or 'after' to affect just this command,
	* and 'beforeAll' or 'afterAll' to affect this command and all its subcommands.
	*
	* @param {string} position - before or after built-in help
	* @param {(string | Function)} text - string to add, or a function returning a string
	* @return {Command} `this` command for chaining
	*/
	addHelpText(position, text) {
		const allowedValues = [
			"beforeAll",
			"before",
			"after",
			"afterAll"
		];
		if (!allowedValues.includes(position)) throw new Error(`Unexpected value for position to addHelpText.
Expecting one of '${allowedValues.join("', '")}'`);
		const helpEvent = `${position}Help`;
		this.on(helpEvent, (context) => {
			let helpStr;
			if (typeof text === "function") helpStr = text({
				error: context.error,
				command: context.command
			});
			else helpStr = text;
			if (helpStr) context.write(`${helpStr}\n`);
		});
		return this;
	}
	/**
	* Output help information if help flags specified
	*
	* @param {Array} args - array of options to search for help flags
	* @private
	*/
	_outputHelpIfRequested(args) {
		const helpOption = this._getHelpOption();
		if (helpOption && args.find((arg) => helpOption.is(arg))) {
			this.outputHelp();
			this._exit(0, "commander.helpDisplayed", "(outputHelp)");
		}
	}
};
/**
* Scan arguments and increment port number for inspect calls (to avoid conflicts when spawning new command).
*
* @param {string[]} args - array of arguments from node.execArgv
* @returns {string[]}
* @private
*/
function incrementNodeInspectorPort(args) {
	return args.map((arg) => {
		if (!arg.startsWith("--inspect")) return arg;
		let debugOption;
		let debugHost = "127.0.0.1";
		let debugPort = "9229";
		let match;
		if ((match = arg.match(/^(--inspect(-brk|-wait)?)$/)) !== null) debugOption = match[1];
		else if ((match = arg.match(/^(--inspect(-brk|-port|-wait)?)=(\[[^\]]+\]|[^:]+)$/)) !== null) {
			debugOption = match[1];
			if (/^\d+$/.test(match[3])) debugPort = match[3];
			else debugHost = match[3];
		} else if ((match = arg.match(/^(--inspect(-brk|-port|-wait)?)=(\[[^\]]+\]|[^:]+):(\d+)$/)) !== null) {
			debugOption = match[1];
			debugHost = match[3];
			debugPort = match[4];
		}
		if (debugOption && debugPort !== "0") return `${debugOption}=${debugHost}:${parseInt(debugPort) + 1}`;
		return arg;
	});
}
/**
* Exported for using from tests, not otherwise used outside this file.
*
* @returns {boolean | undefined}
* @package
*/
function useColor() {
	if (process$1.env.NO_COLOR || process$1.env.FORCE_COLOR === "0" || process$1.env.FORCE_COLOR === "false") return false;
	if (process$1.env.FORCE_COLOR || process$1.env.CLICOLOR_FORCE !== void 0) return true;
}

// node_modules/commander/index.js
const program$1 = new Command();

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

// node_modules/cli-progress/lib/eta.js
var require_eta = /* @__PURE__ */ __commonJSMin(((exports, module) => {
	var ETA = class {
		constructor(length, initTime, initValue) {
			this.etaBufferLength = length || 100;
			this.valueBuffer = [initValue];
			this.timeBuffer = [initTime];
			this.eta = "0";
		}
		update(time, value, total) {
			this.valueBuffer.push(value);
			this.timeBuffer.push(time);
			this.calculate(total - value);
		}
		getTime() {
			return this.eta;
		}
		calculate(remaining) {
			const currentBufferSize = this.valueBuffer.length;
			const buffer = Math.min(this.etaBufferLength, currentBufferSize);
			const vt_rate = (this.valueBuffer[currentBufferSize - 1] - this.valueBuffer[currentBufferSize - buffer]) / (this.timeBuffer[currentBufferSize - 1] - this.timeBuffer[currentBufferSize - buffer]);
			this.valueBuffer = this.valueBuffer.slice(-this.etaBufferLength);
			this.timeBuffer = this.timeBuffer.slice(-this.etaBufferLength);
			const eta = Math.ceil(remaining / vt_rate / 1e3);
			if (isNaN(eta)) this.eta = "NULL";
			else if (!isFinite(eta)) this.eta = "INF";
			else if (eta > 1e7) this.eta = "INF";
			else if (eta < 0) this.eta = 0;
			else this.eta = eta;
		}
	};
	module.exports = ETA;
}));

// node_modules/cli-progress/lib/terminal.js
var require_terminal = /* @__PURE__ */ __commonJSMin(((exports, module) => {
	const _readline = __require("readline");
	var Terminal = class {
		constructor(outputStream) {
			this.stream = outputStream;
			this.linewrap = true;
			this.dy = 0;
		}
		cursorSave() {
			if (!this.stream.isTTY) return;
			this.stream.write("\x1B7");
		}
		cursorRestore() {
			if (!this.stream.isTTY) return;
			this.stream.write("\x1B8");
		}
		cursor(enabled) {
			if (!this.stream.isTTY) return;
			if (enabled) this.stream.write("\x1B[?25h");
			else this.stream.write("\x1B[?25l");
		}
		cursorTo(x = null, y = null) {
			if (!this.stream.isTTY) return;
			_readline.cursorTo(this.stream, x, y);
		}
		cursorRelative(dx = null, dy = null) {
			if (!this.stream.isTTY) return;
			this.dy = this.dy + dy;
			_readline.moveCursor(this.stream, dx, dy);
		}
		cursorRelativeReset() {
			if (!this.stream.isTTY) return;
			_readline.moveCursor(this.stream, 0, -this.dy);
			_readline.cursorTo(this.stream, 0, null);
			this.dy = 0;
		}
		clearRight() {
			if (!this.stream.isTTY) return;
			_readline.clearLine(this.stream, 1);
		}
		clearLine() {
			if (!this.stream.isTTY) return;
			_readline.clearLine(this.stream, 0);
		}
		clearBottom() {
			if (!this.stream.isTTY) return;
			_readline.clearScreenDown(this.stream);
		}
		newline() {
			this.stream.write("\n");
			this.dy++;
		}
		write(s, rawWrite = false) {
			if (this.linewrap === true && rawWrite === false) this.stream.write(s.substr(0, this.getWidth()));
			else this.stream.write(s);
		}
		lineWrapping(enabled) {
			if (!this.stream.isTTY) return;
			this.linewrap = enabled;
			if (enabled) this.stream.write("\x1B[?7h");
			else this.stream.write("\x1B[?7l");
		}
		isTTY() {
			return this.stream.isTTY === true;
		}
		getWidth() {
			return this.stream.columns || (this.stream.isTTY ? 80 : 200);
		}
	};
	module.exports = Terminal;
}));

// node_modules/ansi-regex/index.js
var require_ansi_regex = /* @__PURE__ */ __commonJSMin(((exports, module) => {
	module.exports = ({ onlyFirst = false } = {}) => {
		const pattern = ["[\\u001B\\u009B][[\\]()#;?]*(?:(?:(?:(?:;[-a-zA-Z\\d\\/#&.:=?%@~_]+)*|[a-zA-Z\\d]+(?:;[-a-zA-Z\\d\\/#&.:=?%@~_]*)*)?\\u0007)", "(?:(?:\\d{1,4}(?:;\\d{0,4})*)?[\\dA-PR-TZcf-ntqry=><~]))"].join("|");
		return new RegExp(pattern, onlyFirst ? void 0 : "g");
	};
}));

// node_modules/strip-ansi/index.js
var require_strip_ansi = /* @__PURE__ */ __commonJSMin(((exports, module) => {
	const ansiRegex = require_ansi_regex();
	module.exports = (string) => typeof string === "string" ? string.replace(ansiRegex(), "") : string;
}));

// node_modules/is-fullwidth-code-point/index.js
var require_is_fullwidth_code_point = /* @__PURE__ */ __commonJSMin(((exports, module) => {
	const isFullwidthCodePoint = (codePoint) => {
		if (Number.isNaN(codePoint)) return false;
		if (codePoint >= 4352 && (codePoint <= 4447 || codePoint === 9001 || codePoint === 9002 || 11904 <= codePoint && codePoint <= 12871 && codePoint !== 12351 || 12880 <= codePoint && codePoint <= 19903 || 19968 <= codePoint && codePoint <= 42182 || 43360 <= codePoint && codePoint <= 43388 || 44032 <= codePoint && codePoint <= 55203 || 63744 <= codePoint && codePoint <= 64255 || 65040 <= codePoint && codePoint <= 65049 || 65072 <= codePoint && codePoint <= 65131 || 65281 <= codePoint && codePoint <= 65376 || 65504 <= codePoint && codePoint <= 65510 || 110592 <= codePoint && codePoint <= 110593 || 127488 <= codePoint && codePoint <= 127569 || 131072 <= codePoint && codePoint <= 262141)) return true;
		return false;
	};
	module.exports = isFullwidthCodePoint;
	module.exports.default = isFullwidthCodePoint;
}));

// node_modules/emoji-regex/index.js
var require_emoji_regex = /* @__PURE__ */ __commonJSMin(((exports, module) => {
	module.exports = function() {
		return /\uD83C\uDFF4\uDB40\uDC67\uDB40\uDC62(?:\uDB40\uDC65\uDB40\uDC6E\uDB40\uDC67|\uDB40\uDC73\uDB40\uDC63\uDB40\uDC74|\uDB40\uDC77\uDB40\uDC6C\uDB40\uDC73)\uDB40\uDC7F|\uD83D\uDC68(?:\uD83C\uDFFC\u200D(?:\uD83E\uDD1D\u200D\uD83D\uDC68\uD83C\uDFFB|\uD83C[\uDF3E\uDF73\uDF93\uDFA4\uDFA8\uDFEB\uDFED]|\uD83D[\uDCBB\uDCBC\uDD27\uDD2C\uDE80\uDE92]|\uD83E[\uDDAF-\uDDB3\uDDBC\uDDBD])|\uD83C\uDFFF\u200D(?:\uD83E\uDD1D\u200D\uD83D\uDC68(?:\uD83C[\uDFFB-\uDFFE])|\uD83C[\uDF3E\uDF73\uDF93\uDFA4\uDFA8\uDFEB\uDFED]|\uD83D[\uDCBB\uDCBC\uDD27\uDD2C\uDE80\uDE92]|\uD83E[\uDDAF-\uDDB3\uDDBC\uDDBD])|\uD83C\uDFFE\u200D(?:\uD83E\uDD1D\u200D\uD83D\uDC68(?:\uD83C[\uDFFB-\uDFFD])|\uD83C[\uDF3E\uDF73\uDF93\uDFA4\uDFA8\uDFEB\uDFED]|\uD83D[\uDCBB\uDCBC\uDD27\uDD2C\uDE80\uDE92]|\uD83E[\uDDAF-\uDDB3\uDDBC\uDDBD])|\uD83C\uDFFD\u200D(?:\uD83E\uDD1D\u200D\uD83D\uDC68(?:\uD83C[\uDFFB\uDFFC])|\uD83C[\uDF3E\uDF73\uDF93\uDFA4\uDFA8\uDFEB\uDFED]|\uD83D[\uDCBB\uDCBC\uDD27\uDD2C\uDE80\uDE92]|\uD83E[\uDDAF-\uDDB3\uDDBC\uDDBD])|\u200D(?:\u2764\uFE0F\u200D(?:\uD83D\uDC8B\u200D)?\uD83D\uDC68|(?:\uD83D[\uDC68\uDC69])\u200D(?:\uD83D\uDC66\u200D\uD83D\uDC66|\uD83D\uDC67\u200D(?:\uD83D[\uDC66\uDC67]))|\uD83D\uDC66\u200D\uD83D\uDC66|\uD83D\uDC67\u200D(?:\uD83D[\uDC66\uDC67])|(?:\uD83D[\uDC68\uDC69])\u200D(?:\uD83D[\uDC66\uDC67])|[\u2695\u2696\u2708]\uFE0F|\uD83D[\uDC66\uDC67]|\uD83C[\uDF3E\uDF73\uDF93\uDFA4\uDFA8\uDFEB\uDFED]|\uD83D[\uDCBB\uDCBC\uDD27\uDD2C\uDE80\uDE92]|\uD83E[\uDDAF-\uDDB3\uDDBC\uDDBD])|(?:\uD83C\uDFFB\u200D[\u2695\u2696\u2708]|\uD83C\uDFFF\u200D[\u2695\u2696\u2708]|\uD83C\uDFFE\u200D[\u2695\u2696\u2708]|\uD83C\uDFFD\u200D[\u2695\u2696\u2708]|\uD83C\uDFFC\u200D[\u2695\u2696\u2708])\uFE0F|\uD83C\uDFFB\u200D(?:\uD83C[\uDF3E\uDF73\uDF93\uDFA4\uDFA8\uDFEB\uDFED]|\uD83D[\uDCBB\uDCBC\uDD27\uDD2C\uDE80\uDE92]|\uD83E[\uDDAF-\uDDB3\uDDBC\uDDBD])|\uD83C[\uDFFB-\uDFFF])|(?:\uD83E\uDDD1\uD83C\uDFFB\u200D\uD83E\uDD1D\u200D\uD83E\uDDD1|\uD83D\uDC69\uD83C\uDFFC\u200D\uD83E\uDD1D\u200D\uD83D\uDC69)\uD83C\uDFFB|\uD83E\uDDD1(?:\uD83C\uDFFF\u200D\uD83E\uDD1D\u200D\uD83E\uDDD1(?:\uD83C[\uDFFB-\uDFFF])|\u200D\uD83E\uDD1D\u200D\uD83E\uDDD1)|(?:\uD83E\uDDD1\uD83C\uDFFE\u200D\uD83E\uDD1D\u200D\uD83E\uDDD1|\uD83D\uDC69\uD83C\uDFFF\u200D\uD83E\uDD1D\u200D(?:\uD83D[\uDC68\uDC69]))(?:\uD83C[\uDFFB-\uDFFE])|(?:\uD83E\uDDD1\uD83C\uDFFC\u200D\uD83E\uDD1D\u200D\uD83E\uDDD1|\uD83D\uDC69\uD83C\uDFFD\u200D\uD83E\uDD1D\u200D\uD83D\uDC69)(?:\uD83C[\uDFFB\uDFFC])|\uD83D\uDC69(?:\uD83C\uDFFE\u200D(?:\uD83E\uDD1D\u200D\uD83D\uDC68(?:\uD83C[\uDFFB-\uDFFD\uDFFF])|\uD83C[\uDF3E\uDF73\uDF93\uDFA4\uDFA8\uDFEB\uDFED]|\uD83D[\uDCBB\uDCBC\uDD27\uDD2C\uDE80\uDE92]|\uD83E[\uDDAF-\uDDB3\uDDBC\uDDBD])|\uD83C\uDFFC\u200D(?:\uD83E\uDD1D\u200D\uD83D\uDC68(?:\uD83C[\uDFFB\uDFFD-\uDFFF])|\uD83C[\uDF3E\uDF73\uDF93\uDFA4\uDFA8\uDFEB\uDFED]|\uD83D[\uDCBB\uDCBC\uDD27\uDD2C\uDE80\uDE92]|\uD83E[\uDDAF-\uDDB3\uDDBC\uDDBD])|\uD83C\uDFFB\u200D(?:\uD83E\uDD1D\u200D\uD83D\uDC68(?:\uD83C[\uDFFC-\uDFFF])|\uD83C[\uDF3E\uDF73\uDF93\uDFA4\uDFA8\uDFEB\uDFED]|\uD83D[\uDCBB\uDCBC\uDD27\uDD2C\uDE80\uDE92]|\uD83E[\uDDAF-\uDDB3\uDDBC\uDDBD])|\uD83C\uDFFD\u200D(?:\uD83E\uDD1D\u200D\uD83D\uDC68(?:\uD83C[\uDFFB\uDFFC\uDFFE\uDFFF])|\uD83C[\uDF3E\uDF73\uDF93\uDFA4\uDFA8\uDFEB\uDFED]|\uD83D[\uDCBB\uDCBC\uDD27\uDD2C\uDE80\uDE92]|\uD83E[\uDDAF-\uDDB3\uDDBC\uDDBD])|\u200D(?:\u2764\uFE0F\u200D(?:\uD83D\uDC8B\u200D(?:\uD83D[\uDC68\uDC69])|\uD83D[\uDC68\uDC69])|\uD83C[\uDF3E\uDF73\uDF93\uDFA4\uDFA8\uDFEB\uDFED]|\uD83D[\uDCBB\uDCBC\uDD27\uDD2C\uDE80\uDE92]|\uD83E[\uDDAF-\uDDB3\uDDBC\uDDBD])|\uD83C\uDFFF\u200D(?:\uD83C[\uDF3E\uDF73\uDF93\uDFA4\uDFA8\uDFEB\uDFED]|\uD83D[\uDCBB\uDCBC\uDD27\uDD2C\uDE80\uDE92]|\uD83E[\uDDAF-\uDDB3\uDDBC\uDDBD]))|\uD83D\uDC69\u200D\uD83D\uDC69\u200D(?:\uD83D\uDC66\u200D\uD83D\uDC66|\uD83D\uDC67\u200D(?:\uD83D[\uDC66\uDC67]))|(?:\uD83E\uDDD1\uD83C\uDFFD\u200D\uD83E\uDD1D\u200D\uD83E\uDDD1|\uD83D\uDC69\uD83C\uDFFE\u200D\uD83E\uDD1D\u200D\uD83D\uDC69)(?:\uD83C[\uDFFB-\uDFFD])|\uD83D\uDC69\u200D\uD83D\uDC66\u200D\uD83D\uDC66|\uD83D\uDC69\u200D\uD83D\uDC69\u200D(?:\uD83D[\uDC66\uDC67])|(?:\uD83D\uDC41\uFE0F\u200D\uD83D\uDDE8|\uD83D\uDC69(?:\uD83C\uDFFF\u200D[\u2695\u2696\u2708]|\uD83C\uDFFE\u200D[\u2695\u2696\u2708]|\uD83C\uDFFC\u200D[\u2695\u2696\u2708]|\uD83C\uDFFB\u200D[\u2695\u2696\u2708]|\uD83C\uDFFD\u200D[\u2695\u2696\u2708]|\u200D[\u2695\u2696\u2708])|(?:(?:\u26F9|\uD83C[\uDFCB\uDFCC]|\uD83D\uDD75)\uFE0F|\uD83D\uDC6F|\uD83E[\uDD3C\uDDDE\uDDDF])\u200D[\u2640\u2642]|(?:\u26F9|\uD83C[\uDFCB\uDFCC]|\uD83D\uDD75)(?:\uD83C[\uDFFB-\uDFFF])\u200D[\u2640\u2642]|(?:\uD83C[\uDFC3\uDFC4\uDFCA]|\uD83D[\uDC6E\uDC71\uDC73\uDC77\uDC81\uDC82\uDC86\uDC87\uDE45-\uDE47\uDE4B\uDE4D\uDE4E\uDEA3\uDEB4-\uDEB6]|\uD83E[\uDD26\uDD37-\uDD39\uDD3D\uDD3E\uDDB8\uDDB9\uDDCD-\uDDCF\uDDD6-\uDDDD])(?:(?:\uD83C[\uDFFB-\uDFFF])\u200D[\u2640\u2642]|\u200D[\u2640\u2642])|\uD83C\uDFF4\u200D\u2620)\uFE0F|\uD83D\uDC69\u200D\uD83D\uDC67\u200D(?:\uD83D[\uDC66\uDC67])|\uD83C\uDFF3\uFE0F\u200D\uD83C\uDF08|\uD83D\uDC15\u200D\uD83E\uDDBA|\uD83D\uDC69\u200D\uD83D\uDC66|\uD83D\uDC69\u200D\uD83D\uDC67|\uD83C\uDDFD\uD83C\uDDF0|\uD83C\uDDF4\uD83C\uDDF2|\uD83C\uDDF6\uD83C\uDDE6|[#\*0-9]\uFE0F\u20E3|\uD83C\uDDE7(?:\uD83C[\uDDE6\uDDE7\uDDE9-\uDDEF\uDDF1-\uDDF4\uDDF6-\uDDF9\uDDFB\uDDFC\uDDFE\uDDFF])|\uD83C\uDDF9(?:\uD83C[\uDDE6\uDDE8\uDDE9\uDDEB-\uDDED\uDDEF-\uDDF4\uDDF7\uDDF9\uDDFB\uDDFC\uDDFF])|\uD83C\uDDEA(?:\uD83C[\uDDE6\uDDE8\uDDEA\uDDEC\uDDED\uDDF7-\uDDFA])|\uD83E\uDDD1(?:\uD83C[\uDFFB-\uDFFF])|\uD83C\uDDF7(?:\uD83C[\uDDEA\uDDF4\uDDF8\uDDFA\uDDFC])|\uD83D\uDC69(?:\uD83C[\uDFFB-\uDFFF])|\uD83C\uDDF2(?:\uD83C[\uDDE6\uDDE8-\uDDED\uDDF0-\uDDFF])|\uD83C\uDDE6(?:\uD83C[\uDDE8-\uDDEC\uDDEE\uDDF1\uDDF2\uDDF4\uDDF6-\uDDFA\uDDFC\uDDFD\uDDFF])|\uD83C\uDDF0(?:\uD83C[\uDDEA\uDDEC-\uDDEE\uDDF2\uDDF3\uDDF5\uDDF7\uDDFC\uDDFE\uDDFF])|\uD83C\uDDED(?:\uD83C[\uDDF0\uDDF2\uDDF3\uDDF7\uDDF9\uDDFA])|\uD83C\uDDE9(?:\uD83C[\uDDEA\uDDEC\uDDEF\uDDF0\uDDF2\uDDF4\uDDFF])|\uD83C\uDDFE(?:\uD83C[\uDDEA\uDDF9])|\uD83C\uDDEC(?:\uD83C[\uDDE6\uDDE7\uDDE9-\uDDEE\uDDF1-\uDDF3\uDDF5-\uDDFA\uDDFC\uDDFE])|\uD83C\uDDF8(?:\uD83C[\uDDE6-\uDDEA\uDDEC-\uDDF4\uDDF7-\uDDF9\uDDFB\uDDFD-\uDDFF])|\uD83C\uDDEB(?:\uD83C[\uDDEE-\uDDF0\uDDF2\uDDF4\uDDF7])|\uD83C\uDDF5(?:\uD83C[\uDDE6\uDDEA-\uDDED\uDDF0-\uDDF3\uDDF7-\uDDF9\uDDFC\uDDFE])|\uD83C\uDDFB(?:\uD83C[\uDDE6\uDDE8\uDDEA\uDDEC\uDDEE\uDDF3\uDDFA])|\uD83C\uDDF3(?:\uD83C[\uDDE6\uDDE8\uDDEA-\uDDEC\uDDEE\uDDF1\uDDF4\uDDF5\uDDF7\uDDFA\uDDFF])|\uD83C\uDDE8(?:\uD83C[\uDDE6\uDDE8\uDDE9\uDDEB-\uDDEE\uDDF0-\uDDF5\uDDF7\uDDFA-\uDDFF])|\uD83C\uDDF1(?:\uD83C[\uDDE6-\uDDE8\uDDEE\uDDF0\uDDF7-\uDDFB\uDDFE])|\uD83C\uDDFF(?:\uD83C[\uDDE6\uDDF2\uDDFC])|\uD83C\uDDFC(?:\uD83C[\uDDEB\uDDF8])|\uD83C\uDDFA(?:\uD83C[\uDDE6\uDDEC\uDDF2\uDDF3\uDDF8\uDDFE\uDDFF])|\uD83C\uDDEE(?:\uD83C[\uDDE8-\uDDEA\uDDF1-\uDDF4\uDDF6-\uDDF9])|\uD83C\uDDEF(?:\uD83C[\uDDEA\uDDF2\uDDF4\uDDF5])|(?:\uD83C[\uDFC3\uDFC4\uDFCA]|\uD83D[\uDC6E\uDC71\uDC73\uDC77\uDC81\uDC82\uDC86\uDC87\uDE45-\uDE47\uDE4B\uDE4D\uDE4E\uDEA3\uDEB4-\uDEB6]|\uD83E[\uDD26\uDD37-\uDD39\uDD3D\uDD3E\uDDB8\uDDB9\uDDCD-\uDDCF\uDDD6-\uDDDD])(?:\uD83C[\uDFFB-\uDFFF])|(?:\u26F9|\uD83C[\uDFCB\uDFCC]|\uD83D\uDD75)(?:\uD83C[\uDFFB-\uDFFF])|(?:[\u261D\u270A-\u270D]|\uD83C[\uDF85\uDFC2\uDFC7]|\uD83D[\uDC42\uDC43\uDC46-\uDC50\uDC66\uDC67\uDC6B-\uDC6D\uDC70\uDC72\uDC74-\uDC76\uDC78\uDC7C\uDC83\uDC85\uDCAA\uDD74\uDD7A\uDD90\uDD95\uDD96\uDE4C\uDE4F\uDEC0\uDECC]|\uD83E[\uDD0F\uDD18-\uDD1C\uDD1E\uDD1F\uDD30-\uDD36\uDDB5\uDDB6\uDDBB\uDDD2-\uDDD5])(?:\uD83C[\uDFFB-\uDFFF])|(?:[\u231A\u231B\u23E9-\u23EC\u23F0\u23F3\u25FD\u25FE\u2614\u2615\u2648-\u2653\u267F\u2693\u26A1\u26AA\u26AB\u26BD\u26BE\u26C4\u26C5\u26CE\u26D4\u26EA\u26F2\u26F3\u26F5\u26FA\u26FD\u2705\u270A\u270B\u2728\u274C\u274E\u2753-\u2755\u2757\u2795-\u2797\u27B0\u27BF\u2B1B\u2B1C\u2B50\u2B55]|\uD83C[\uDC04\uDCCF\uDD8E\uDD91-\uDD9A\uDDE6-\uDDFF\uDE01\uDE1A\uDE2F\uDE32-\uDE36\uDE38-\uDE3A\uDE50\uDE51\uDF00-\uDF20\uDF2D-\uDF35\uDF37-\uDF7C\uDF7E-\uDF93\uDFA0-\uDFCA\uDFCF-\uDFD3\uDFE0-\uDFF0\uDFF4\uDFF8-\uDFFF]|\uD83D[\uDC00-\uDC3E\uDC40\uDC42-\uDCFC\uDCFF-\uDD3D\uDD4B-\uDD4E\uDD50-\uDD67\uDD7A\uDD95\uDD96\uDDA4\uDDFB-\uDE4F\uDE80-\uDEC5\uDECC\uDED0-\uDED2\uDED5\uDEEB\uDEEC\uDEF4-\uDEFA\uDFE0-\uDFEB]|\uD83E[\uDD0D-\uDD3A\uDD3C-\uDD45\uDD47-\uDD71\uDD73-\uDD76\uDD7A-\uDDA2\uDDA5-\uDDAA\uDDAE-\uDDCA\uDDCD-\uDDFF\uDE70-\uDE73\uDE78-\uDE7A\uDE80-\uDE82\uDE90-\uDE95])|(?:[#\*0-9\xA9\xAE\u203C\u2049\u2122\u2139\u2194-\u2199\u21A9\u21AA\u231A\u231B\u2328\u23CF\u23E9-\u23F3\u23F8-\u23FA\u24C2\u25AA\u25AB\u25B6\u25C0\u25FB-\u25FE\u2600-\u2604\u260E\u2611\u2614\u2615\u2618\u261D\u2620\u2622\u2623\u2626\u262A\u262E\u262F\u2638-\u263A\u2640\u2642\u2648-\u2653\u265F\u2660\u2663\u2665\u2666\u2668\u267B\u267E\u267F\u2692-\u2697\u2699\u269B\u269C\u26A0\u26A1\u26AA\u26AB\u26B0\u26B1\u26BD\u26BE\u26C4\u26C5\u26C8\u26CE\u26CF\u26D1\u26D3\u26D4\u26E9\u26EA\u26F0-\u26F5\u26F7-\u26FA\u26FD\u2702\u2705\u2708-\u270D\u270F\u2712\u2714\u2716\u271D\u2721\u2728\u2733\u2734\u2744\u2747\u274C\u274E\u2753-\u2755\u2757\u2763\u2764\u2795-\u2797\u27A1\u27B0\u27BF\u2934\u2935\u2B05-\u2B07\u2B1B\u2B1C\u2B50\u2B55\u3030\u303D\u3297\u3299]|\uD83C[\uDC04\uDCCF\uDD70\uDD71\uDD7E\uDD7F\uDD8E\uDD91-\uDD9A\uDDE6-\uDDFF\uDE01\uDE02\uDE1A\uDE2F\uDE32-\uDE3A\uDE50\uDE51\uDF00-\uDF21\uDF24-\uDF93\uDF96\uDF97\uDF99-\uDF9B\uDF9E-\uDFF0\uDFF3-\uDFF5\uDFF7-\uDFFF]|\uD83D[\uDC00-\uDCFD\uDCFF-\uDD3D\uDD49-\uDD4E\uDD50-\uDD67\uDD6F\uDD70\uDD73-\uDD7A\uDD87\uDD8A-\uDD8D\uDD90\uDD95\uDD96\uDDA4\uDDA5\uDDA8\uDDB1\uDDB2\uDDBC\uDDC2-\uDDC4\uDDD1-\uDDD3\uDDDC-\uDDDE\uDDE1\uDDE3\uDDE8\uDDEF\uDDF3\uDDFA-\uDE4F\uDE80-\uDEC5\uDECB-\uDED2\uDED5\uDEE0-\uDEE5\uDEE9\uDEEB\uDEEC\uDEF0\uDEF3-\uDEFA\uDFE0-\uDFEB]|\uD83E[\uDD0D-\uDD3A\uDD3C-\uDD45\uDD47-\uDD71\uDD73-\uDD76\uDD7A-\uDDA2\uDDA5-\uDDAA\uDDAE-\uDDCA\uDDCD-\uDDFF\uDE70-\uDE73\uDE78-\uDE7A\uDE80-\uDE82\uDE90-\uDE95])\uFE0F|(?:[\u261D\u26F9\u270A-\u270D]|\uD83C[\uDF85\uDFC2-\uDFC4\uDFC7\uDFCA-\uDFCC]|\uD83D[\uDC42\uDC43\uDC46-\uDC50\uDC66-\uDC78\uDC7C\uDC81-\uDC83\uDC85-\uDC87\uDC8F\uDC91\uDCAA\uDD74\uDD75\uDD7A\uDD90\uDD95\uDD96\uDE45-\uDE47\uDE4B-\uDE4F\uDEA3\uDEB4-\uDEB6\uDEC0\uDECC]|\uD83E[\uDD0F\uDD18-\uDD1F\uDD26\uDD30-\uDD39\uDD3C-\uDD3E\uDDB5\uDDB6\uDDB8\uDDB9\uDDBB\uDDCD-\uDDCF\uDDD1-\uDDDD])/g;
	};
}));

// node_modules/string-width/index.js
var require_string_width = /* @__PURE__ */ __commonJSMin(((exports, module) => {
	const stripAnsi = require_strip_ansi();
	const isFullwidthCodePoint = require_is_fullwidth_code_point();
	const emojiRegex = require_emoji_regex();
	const stringWidth = (string) => {
		if (typeof string !== "string" || string.length === 0) return 0;
		string = stripAnsi(string);
		if (string.length === 0) return 0;
		string = string.replace(emojiRegex(), "  ");
		let width = 0;
		for (let i = 0; i < string.length; i++) {
			const code = string.codePointAt(i);
			if (code <= 31 || code >= 127 && code <= 159) continue;
			if (code >= 768 && code <= 879) continue;
			if (code > 65535) i++;
			width += isFullwidthCodePoint(code) ? 2 : 1;
		}
		return width;
	};
	module.exports = stringWidth;
	module.exports.default = stringWidth;
}));

// node_modules/cli-progress/lib/format-value.js
var require_format_value = /* @__PURE__ */ __commonJSMin(((exports, module) => {
	module.exports = function formatValue(v, options, type) {
		if (options.autopadding !== true) return v;
		function autopadding(value, length) {
			return (options.autopaddingChar + value).slice(-length);
		}
		switch (type) {
			case "percentage": return autopadding(v, 3);
			default: return v;
		}
	};
}));

// node_modules/cli-progress/lib/format-bar.js
var require_format_bar = /* @__PURE__ */ __commonJSMin(((exports, module) => {
	module.exports = function formatBar(progress, options) {
		const completeSize = Math.round(progress * options.barsize);
		const incompleteSize = options.barsize - completeSize;
		return options.barCompleteString.substr(0, completeSize) + options.barGlue + options.barIncompleteString.substr(0, incompleteSize);
	};
}));

// node_modules/cli-progress/lib/format-time.js
var require_format_time = /* @__PURE__ */ __commonJSMin(((exports, module) => {
	module.exports = function formatTime(t, options, roundToMultipleOf) {
		function round(input) {
			if (roundToMultipleOf) return roundToMultipleOf * Math.round(input / roundToMultipleOf);
			else return input;
		}
		function autopadding(v) {
			return (options.autopaddingChar + v).slice(-2);
		}
		if (t > 3600) return autopadding(Math.floor(t / 3600)) + "h" + autopadding(round(t % 3600 / 60)) + "m";
		else if (t > 60) return autopadding(Math.floor(t / 60)) + "m" + autopadding(round(t % 60)) + "s";
		else if (t > 10) return autopadding(round(t)) + "s";
		else return autopadding(t) + "s";
	};
}));

// node_modules/cli-progress/lib/formatter.js
var require_formatter = /* @__PURE__ */ __commonJSMin(((exports, module) => {
	const _stringWidth = require_string_width();
	const _defaultFormatValue = require_format_value();
	const _defaultFormatBar = require_format_bar();
	const _defaultFormatTime = require_format_time();
	module.exports = function defaultFormatter(options, params, payload) {
		let s = options.format;
		const formatTime = options.formatTime || _defaultFormatTime;
		const formatValue = options.formatValue || _defaultFormatValue;
		const formatBar = options.formatBar || _defaultFormatBar;
		const percentage = Math.floor(params.progress * 100) + "";
		const stopTime = params.stopTime || Date.now();
		const elapsedTime = Math.round((stopTime - params.startTime) / 1e3);
		const context = Object.assign({}, payload, {
			bar: formatBar(params.progress, options),
			percentage: formatValue(percentage, options, "percentage"),
			total: formatValue(params.total, options, "total"),
			value: formatValue(params.value, options, "value"),
			eta: formatValue(params.eta, options, "eta"),
			eta_formatted: formatTime(params.eta, options, 5),
			duration: formatValue(elapsedTime, options, "duration"),
			duration_formatted: formatTime(elapsedTime, options, 1)
		});
		s = s.replace(/\{(\w+)\}/g, function(match, key) {
			if (typeof context[key] !== "undefined") return context[key];
			return match;
		});
		const fullMargin = Math.max(0, params.maxWidth - _stringWidth(s) - 2);
		const halfMargin = Math.floor(fullMargin / 2);
		switch (options.align) {
			case "right":
				s = fullMargin > 0 ? " ".repeat(fullMargin) + s : s;
				break;
			case "center": s = halfMargin > 0 ? " ".repeat(halfMargin) + s : s;
		}
		return s;
	};
}));

// node_modules/cli-progress/lib/options.js
var require_options = /* @__PURE__ */ __commonJSMin(((exports, module) => {
	function mergeOption(v, defaultValue) {
		if (typeof v === "undefined" || v === null) return defaultValue;
		else return v;
	}
	module.exports = {
		parse: function parse(rawOptions, preset) {
			const options = {};
			const opt = Object.assign({}, preset, rawOptions);
			options.throttleTime = 1e3 / mergeOption(opt.fps, 10);
			options.stream = mergeOption(opt.stream, process.stderr);
			options.terminal = mergeOption(opt.terminal, null);
			options.clearOnComplete = mergeOption(opt.clearOnComplete, false);
			options.stopOnComplete = mergeOption(opt.stopOnComplete, false);
			options.barsize = mergeOption(opt.barsize, 40);
			options.align = mergeOption(opt.align, "left");
			options.hideCursor = mergeOption(opt.hideCursor, false);
			options.linewrap = mergeOption(opt.linewrap, false);
			options.barGlue = mergeOption(opt.barGlue, "");
			options.barCompleteChar = mergeOption(opt.barCompleteChar, "=");
			options.barIncompleteChar = mergeOption(opt.barIncompleteChar, "-");
			options.format = mergeOption(opt.format, "progress [{bar}] {percentage}% | ETA: {eta}s | {value}/{total}");
			options.formatTime = mergeOption(opt.formatTime, null);
			options.formatValue = mergeOption(opt.formatValue, null);
			options.formatBar = mergeOption(opt.formatBar, null);
			options.etaBufferLength = mergeOption(opt.etaBuffer, 10);
			options.etaAsynchronousUpdate = mergeOption(opt.etaAsynchronousUpdate, false);
			options.progressCalculationRelative = mergeOption(opt.progressCalculationRelative, false);
			options.synchronousUpdate = mergeOption(opt.synchronousUpdate, true);
			options.noTTYOutput = mergeOption(opt.noTTYOutput, false);
			options.notTTYSchedule = mergeOption(opt.notTTYSchedule, 2e3);
			options.emptyOnZero = mergeOption(opt.emptyOnZero, false);
			options.forceRedraw = mergeOption(opt.forceRedraw, false);
			options.autopadding = mergeOption(opt.autopadding, false);
			options.gracefulExit = mergeOption(opt.gracefulExit, false);
			return options;
		},
		assignDerivedOptions: function assignDerivedOptions(options) {
			options.barCompleteString = options.barCompleteChar.repeat(options.barsize + 1);
			options.barIncompleteString = options.barIncompleteChar.repeat(options.barsize + 1);
			options.autopaddingChar = options.autopadding ? mergeOption(options.autopaddingChar, "   ") : "";
			return options;
		}
	};
}));

// node_modules/cli-progress/lib/generic-bar.js
var require_generic_bar = /* @__PURE__ */ __commonJSMin(((exports, module) => {
	const _ETA = require_eta();
	const _Terminal = require_terminal();
	const _formatter = require_formatter();
	const _options = require_options();
	const _EventEmitter = __require("events");
	module.exports = class GenericBar extends _EventEmitter {
		constructor(options) {
			super();
			this.options = _options.assignDerivedOptions(options);
			this.terminal = this.options.terminal ? this.options.terminal : new _Terminal(this.options.stream);
			this.value = 0;
			this.startValue = 0;
			this.total = 100;
			this.lastDrawnString = null;
			this.startTime = null;
			this.stopTime = null;
			this.lastRedraw = Date.now();
			this.eta = new _ETA(this.options.etaBufferLength, 0, 0);
			this.payload = {};
			this.isActive = false;
			this.formatter = typeof this.options.format === "function" ? this.options.format : _formatter;
		}
		render(forceRendering = false) {
			const params = {
				progress: this.getProgress(),
				eta: this.eta.getTime(),
				startTime: this.startTime,
				stopTime: this.stopTime,
				total: this.total,
				value: this.value,
				maxWidth: this.terminal.getWidth()
			};
			if (this.options.etaAsynchronousUpdate) this.updateETA();
			const s = this.formatter(this.options, params, this.payload);
			if (forceRendering || this.options.forceRedraw || this.options.noTTYOutput && !this.terminal.isTTY() || this.lastDrawnString != s) {
				this.emit("redraw-pre");
				this.terminal.cursorTo(0, null);
				this.terminal.write(s);
				this.terminal.clearRight();
				this.lastDrawnString = s;
				this.lastRedraw = Date.now();
				this.emit("redraw-post");
			}
		}
		start(total, startValue, payload) {
			this.value = startValue || 0;
			this.total = typeof total !== "undefined" && total >= 0 ? total : 100;
			this.startValue = startValue || 0;
			this.payload = payload || {};
			this.startTime = Date.now();
			this.stopTime = null;
			this.lastDrawnString = "";
			this.eta = new _ETA(this.options.etaBufferLength, this.startTime, this.value);
			this.isActive = true;
			this.emit("start", total, startValue);
		}
		stop() {
			this.isActive = false;
			this.stopTime = Date.now();
			this.emit("stop", this.total, this.value);
		}
		update(arg0, arg1 = {}) {
			if (typeof arg0 === "number") {
				this.value = arg0;
				this.eta.update(Date.now(), arg0, this.total);
			}
			const payloadData = (typeof arg0 === "object" ? arg0 : arg1) || {};
			this.emit("update", this.total, this.value);
			for (const key in payloadData) this.payload[key] = payloadData[key];
			if (this.value >= this.getTotal() && this.options.stopOnComplete) this.stop();
		}
		getProgress() {
			let progress = this.value / this.total;
			if (this.options.progressCalculationRelative) progress = (this.value - this.startValue) / (this.total - this.startValue);
			if (isNaN(progress)) progress = this.options && this.options.emptyOnZero ? 0 : 1;
			progress = Math.min(Math.max(progress, 0), 1);
			return progress;
		}
		increment(arg0 = 1, arg1 = {}) {
			if (typeof arg0 === "object") this.update(this.value + 1, arg0);
			else this.update(this.value + arg0, arg1);
		}
		getTotal() {
			return this.total;
		}
		setTotal(total) {
			if (typeof total !== "undefined" && total >= 0) this.total = total;
		}
		updateETA() {
			this.eta.update(Date.now(), this.value, this.total);
		}
	};
}));

// node_modules/cli-progress/lib/single-bar.js
var require_single_bar = /* @__PURE__ */ __commonJSMin(((exports, module) => {
	const _GenericBar = require_generic_bar();
	const _options = require_options();
	module.exports = class SingleBar extends _GenericBar {
		constructor(options, preset) {
			super(_options.parse(options, preset));
			this.timer = null;
			if (this.options.noTTYOutput && this.terminal.isTTY() === false) this.options.synchronousUpdate = false;
			this.schedulingRate = this.terminal.isTTY() ? this.options.throttleTime : this.options.notTTYSchedule;
			this.sigintCallback = null;
		}
		render() {
			if (this.timer) {
				clearTimeout(this.timer);
				this.timer = null;
			}
			super.render();
			if (this.options.noTTYOutput && this.terminal.isTTY() === false) this.terminal.newline();
			this.timer = setTimeout(this.render.bind(this), this.schedulingRate);
		}
		update(current, payload) {
			if (!this.timer) return;
			super.update(current, payload);
			if (this.options.synchronousUpdate && this.lastRedraw + this.options.throttleTime * 2 < Date.now()) this.render();
		}
		start(total, startValue, payload) {
			if (this.options.noTTYOutput === false && this.terminal.isTTY() === false) return;
			if (this.sigintCallback === null && this.options.gracefulExit) {
				this.sigintCallback = this.stop.bind(this);
				process.once("SIGINT", this.sigintCallback);
				process.once("SIGTERM", this.sigintCallback);
			}
			this.terminal.cursorSave();
			if (this.options.hideCursor === true) this.terminal.cursor(false);
			if (this.options.linewrap === false) this.terminal.lineWrapping(false);
			super.start(total, startValue, payload);
			this.render();
		}
		stop() {
			if (!this.timer) return;
			if (this.sigintCallback) {
				process.removeListener("SIGINT", this.sigintCallback);
				process.removeListener("SIGTERM", this.sigintCallback);
				this.sigintCallback = null;
			}
			this.render();
			super.stop();
			clearTimeout(this.timer);
			this.timer = null;
			if (this.options.hideCursor === true) this.terminal.cursor(true);
			if (this.options.linewrap === false) this.terminal.lineWrapping(true);
			this.terminal.cursorRestore();
			if (this.options.clearOnComplete) {
				this.terminal.cursorTo(0, null);
				this.terminal.clearLine();
			} else this.terminal.newline();
		}
	};
}));

// node_modules/cli-progress/lib/multi-bar.js
var require_multi_bar = /* @__PURE__ */ __commonJSMin(((exports, module) => {
	const _Terminal = require_terminal();
	const _BarElement = require_generic_bar();
	const _options = require_options();
	const _EventEmitter = __require("events");
	module.exports = class MultiBar extends _EventEmitter {
		constructor(options, preset) {
			super();
			this.bars = [];
			this.options = _options.parse(options, preset);
			this.options.synchronousUpdate = false;
			this.terminal = this.options.terminal ? this.options.terminal : new _Terminal(this.options.stream);
			this.timer = null;
			this.isActive = false;
			this.schedulingRate = this.terminal.isTTY() ? this.options.throttleTime : this.options.notTTYSchedule;
			this.loggingBuffer = [];
			this.sigintCallback = null;
		}
		create(total, startValue, payload, barOptions = {}) {
			const bar = new _BarElement(Object.assign({}, this.options, { terminal: this.terminal }, barOptions));
			this.bars.push(bar);
			if (this.options.noTTYOutput === false && this.terminal.isTTY() === false) return bar;
			if (this.sigintCallback === null && this.options.gracefulExit) {
				this.sigintCallback = this.stop.bind(this);
				process.once("SIGINT", this.sigintCallback);
				process.once("SIGTERM", this.sigintCallback);
			}
			if (!this.isActive) {
				if (this.options.hideCursor === true) this.terminal.cursor(false);
				if (this.options.linewrap === false) this.terminal.lineWrapping(false);
				this.timer = setTimeout(this.update.bind(this), this.schedulingRate);
			}
			this.isActive = true;
			bar.start(total, startValue, payload);
			this.emit("start");
			return bar;
		}
		remove(bar) {
			const index = this.bars.indexOf(bar);
			if (index < 0) return false;
			this.bars.splice(index, 1);
			this.update();
			this.terminal.newline();
			this.terminal.clearBottom();
			return true;
		}
		update() {
			if (this.timer) {
				clearTimeout(this.timer);
				this.timer = null;
			}
			this.emit("update-pre");
			this.terminal.cursorRelativeReset();
			this.emit("redraw-pre");
			if (this.loggingBuffer.length > 0) {
				this.terminal.clearLine();
				while (this.loggingBuffer.length > 0) this.terminal.write(this.loggingBuffer.shift(), true);
			}
			for (let i = 0; i < this.bars.length; i++) {
				if (i > 0) this.terminal.newline();
				this.bars[i].render();
			}
			this.emit("redraw-post");
			if (this.options.noTTYOutput && this.terminal.isTTY() === false) {
				this.terminal.newline();
				this.terminal.newline();
			}
			this.timer = setTimeout(this.update.bind(this), this.schedulingRate);
			this.emit("update-post");
			if (this.options.stopOnComplete && !this.bars.find((bar) => bar.isActive)) this.stop();
		}
		stop() {
			clearTimeout(this.timer);
			this.timer = null;
			if (this.sigintCallback) {
				process.removeListener("SIGINT", this.sigintCallback);
				process.removeListener("SIGTERM", this.sigintCallback);
				this.sigintCallback = null;
			}
			this.isActive = false;
			if (this.options.hideCursor === true) this.terminal.cursor(true);
			if (this.options.linewrap === false) this.terminal.lineWrapping(true);
			this.terminal.cursorRelativeReset();
			this.emit("stop-pre-clear");
			if (this.options.clearOnComplete) this.terminal.clearBottom();
			else {
				for (let i = 0; i < this.bars.length; i++) {
					if (i > 0) this.terminal.newline();
					this.bars[i].render();
					this.bars[i].stop();
				}
				this.terminal.newline();
			}
			this.emit("stop");
		}
		log(s) {
			this.loggingBuffer.push(s);
		}
	};
}));

// node_modules/cli-progress/presets/legacy.js
var require_legacy = /* @__PURE__ */ __commonJSMin(((exports, module) => {
	module.exports = {
		format: "progress [{bar}] {percentage}% | ETA: {eta}s | {value}/{total}",
		barCompleteChar: "=",
		barIncompleteChar: "-"
	};
}));

// node_modules/cli-progress/presets/shades-classic.js
var require_shades_classic = /* @__PURE__ */ __commonJSMin(((exports, module) => {
	module.exports = {
		format: " {bar} {percentage}% | ETA: {eta}s | {value}/{total}",
		barCompleteChar: "█",
		barIncompleteChar: "░"
	};
}));

// node_modules/cli-progress/presets/shades-grey.js
var require_shades_grey = /* @__PURE__ */ __commonJSMin(((exports, module) => {
	module.exports = {
		format: " \x1B[90m{bar}\x1B[0m {percentage}% | ETA: {eta}s | {value}/{total}",
		barCompleteChar: "█",
		barIncompleteChar: "░"
	};
}));

// node_modules/cli-progress/presets/rect.js
var require_rect = /* @__PURE__ */ __commonJSMin(((exports, module) => {
	module.exports = {
		format: " {bar}■ {percentage}% | ETA: {eta}s | {value}/{total}",
		barCompleteChar: "■",
		barIncompleteChar: " "
	};
}));

// node_modules/cli-progress/presets/index.js
var require_presets = /* @__PURE__ */ __commonJSMin(((exports, module) => {
	const _legacy = require_legacy();
	const _shades_classic = require_shades_classic();
	const _shades_grey = require_shades_grey();
	const _rect = require_rect();
	module.exports = {
		legacy: _legacy,
		shades_classic: _shades_classic,
		shades_grey: _shades_grey,
		rect: _rect
	};
}));

// node_modules/cli-progress/cli-progress.js
var require_cli_progress = /* @__PURE__ */ __commonJSMin(((exports, module) => {
	const _SingleBar = require_single_bar();
	const _MultiBar = require_multi_bar();
	const _Presets = require_presets();
	const _Formatter = require_formatter();
	const _defaultFormatValue = require_format_value();
	const _defaultFormatBar = require_format_bar();
	const _defaultFormatTime = require_format_time();
	module.exports = {
		Bar: _SingleBar,
		SingleBar: _SingleBar,
		MultiBar: _MultiBar,
		Presets: _Presets,
		Format: {
			Formatter: _Formatter,
			BarFormat: _defaultFormatBar,
			ValueFormat: _defaultFormatValue,
			TimeFormat: _defaultFormatTime
		}
	};
}));

// cli/src/units.ts
var import_cli_progress = require_cli_progress();
/** Sizes and counts, for people. */
function sizeText(bytes) {
	const units = [
		"B",
		"kB",
		"MB",
		"GB",
		"TB"
	];
	let size = bytes;
	let unit = 0;
	for (; size >= 1e3 && unit < units.length - 1; unit++) size /= 1e3;
	return `${unit === 0 || size >= 100 ? size.toFixed(0) : size.toFixed(1)} ${units[unit]}`;
}
function countText(files) {
	return `${files.toLocaleString("en")} ${files === 1 ? "file" : "files"}`;
}

// cli/src/progress.ts
/** How far a transfer is: bars where somebody looks, a line every few seconds where a log is kept. */
/** Smaller files come and go faster than anyone reads. */
const OWN_BAR = 8388608;
const LINE_MS = 1e4;
var Progress = class {
	#verb;
	#mode;
	#bars;
	#total;
	#timer;
	#files = 0;
	#bytes = 0;
	#doneFiles = 0;
	#doneBytes = 0;
	constructor(verb, mode) {
		this.#verb = verb;
		this.#mode = mode;
		if (mode === "bars") this.#bars = new import_cli_progress.MultiBar({
			format: "{bar} {percentage}% {done} of {all}  {name}",
			stream: process.stderr,
			hideCursor: true,
			clearOnComplete: true,
			barsize: 24,
			barCompleteChar: "#",
			barIncompleteChar: "-",
			autopadding: true
		});
	}
	/** Says what is to come. */
	expect(files, bytes) {
		this.#files += files;
		this.#bytes += bytes;
		if (this.#bars) {
			this.#total ??= this.#bars.create(1, 0, {
				name: "",
				done: "",
				all: ""
			});
			this.#draw();
		} else if (this.#mode === "lines" && !this.#timer) this.#timer = setInterval(() => this.note(this.#line()), LINE_MS).unref();
	}
	file(name, size) {
		const label = {
			name: printable(name),
			all: sizeText(size)
		};
		const bar = size >= OWN_BAR ? this.#bars?.create(size, 0, {
			...label,
			done: sizeText(0)
		}) : void 0;
		let here = 0;
		const at = (bytes) => {
			this.#doneBytes += bytes - here;
			here = bytes;
			bar?.update(here, {
				...label,
				done: sizeText(here)
			});
			this.#draw();
		};
		return {
			at,
			add: (bytes) => at(here + bytes),
			done: () => {
				at(size);
				this.#doneFiles++;
				if (bar) this.#bars?.remove(bar);
				this.#draw();
			}
		};
	}
	/** A line that stays, above the bars. */
	note(line) {
		if (this.#mode === "none") return;
		if (this.#bars?.isActive) this.#bars.log(`${line}\n`);
		else process.stderr.write(`${line}\n`);
	}
	stop() {
		clearInterval(this.#timer);
		this.#bars?.stop();
	}
	#draw() {
		this.#total?.setTotal(Math.max(1, this.#bytes));
		const [done, all] = [sizeText(this.#doneBytes), sizeText(this.#bytes)];
		const name = `${this.#verb} ${this.#doneFiles} of ${countText(this.#files)}`;
		this.#total?.update(this.#bytes === 0 ? 1 : this.#doneBytes, {
			done,
			all,
			name
		});
	}
	#line() {
		const files = `${this.#doneFiles.toLocaleString("en")} of ${countText(this.#files)}`;
		return `${this.#verb}: ${files}, ${sizeText(this.#doneBytes)} of ${sizeText(this.#bytes)}`;
	}
};

// cli/src/output.ts
/** Results go to standard output, in the form that was asked for; everything else goes to standard error. */
const FORMATS = [
	"text",
	"json",
	"name"
];
var Output = class {
	format;
	quiet;
	#progress;
	constructor(options) {
		this.format = options.format;
		this.quiet = options.quiet;
	}
	/** A word about what is going on, for people. */
	note(line) {
		if (this.quiet) return;
		if (this.#progress) this.#progress.note(printable(line));
		else process.stderr.write(`${printable(line)}\n`);
	}
	/** What the command was for. `name` is what another command would take. */
	result(value, text, name = text) {
		if (this.format === "json") process.stdout.write(`${JSON.stringify(value)}\n`);
		else if (this.format === "name") this.#lines(name);
		else if (!this.quiet) this.#lines(text);
	}
	/** What was asked for in so many words, so it is printed with --quiet, too. */
	answer(value, text, name = text) {
		if (this.format === "text") this.#lines(text);
		else this.result(value, text, name);
	}
	#lines(text) {
		for (const line of [text].flat()) process.stdout.write(`${printable(line)}\n`);
	}
	progress(verb) {
		const progress = new Progress(verb, this.quiet ? "none" : process.stderr.isTTY ? "bars" : "lines");
		this.#progress = progress;
		return progress;
	}
	/** Puts the terminal in order. */
	end() {
		this.#progress?.stop();
		this.#progress = void 0;
	}
};
/** Columns of text, as wide as they have to be. */
function columns(rows) {
	const widths = rows[0]?.map((_, i) => Math.max(...rows.map((row) => (row[i] ?? "").length))) ?? [];
	return rows.map((row) => row.map((cell, i) => i === row.length - 1 ? cell : cell.padEnd(widths[i] ?? 0)).join("  "));
}

// cli/src/prompt.ts
/** Questions to who sits at the terminal, and secrets from standard input. */
/** The first line of standard input. */
async function readStdin() {
	let text = "";
	for await (const chunk of process.stdin.setEncoding("utf8")) {
		text += chunk;
		if (text.length > 65536) throw usage("That is too long for a password");
	}
	return text.replace(/\r?\n$/, "");
}
/** @throws {CliError} usage, where nobody can be asked; `instead` says what to do */
async function ask(session, question, instead, hidden = false) {
	if (!session.options.input || !process.stdin.isTTY) throw usage(instead);
	let silent = false;
	const output = new Writable({ write(chunk, _encoding, done) {
		if (!silent) process.stderr.write(chunk);
		done();
	} });
	const lines = createInterface({
		input: process.stdin,
		output,
		terminal: true
	});
	lines.on("SIGINT", () => process.emit("SIGINT"));
	const closed = new Promise((_resolve, reject) => {
		lines.once("close", () => reject(usage(instead)));
	});
	try {
		const answer = lines.question(question);
		silent = hidden;
		return await Promise.race([answer, closed]);
	} finally {
		lines.close();
		if (hidden) process.stderr.write("\n");
	}
}
async function confirm(session, what, yes) {
	if (yes) return;
	const answer = await ask(session, `${what}? [y/N] `, `${what}? Say --yes`);
	if (!/^y(?:es)?$/i.test(answer.trim())) throw usage("Nothing was changed");
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
			await setTimeout$1(wait);
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
						setTimeout$1(2e3, void 0, { ref: false })
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
	const { code, sentence } = explain$1(await answer.text().catch(() => ""));
	const requestId = answer.header("x-request-id");
	const said = sentence === "" ? `The answer was ${answer.status} ${answer.message.statusMessage ?? ""}` : sentence;
	const error = new HubError(answer.status, code, printable(said).slice(0, 500), requestId && printable(requestId));
	return BUSY.has(answer.status) ? new Busy(error, answer.header("retry-after")) : error;
}
/** Problem details, the errors of /v2, or a line of text. */
function explain$1(text) {
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
/** Who is signed in where: `$XDG_CONFIG_HOME/berth/credentials.json`, for its owner alone, or a docker credential helper. */
function configFolder(env) {
	return join(env["XDG_CONFIG_HOME"] || join(homedir(), ".config"), "berth");
}
/** What may be lost: how far uploads are. */
function stateFolder(env) {
	return join(env["XDG_STATE_HOME"] || join(homedir(), ".local", "state"), "berth");
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
async function findCredentials(env, origin) {
	const { helper, hubs } = await readSettings(env);
	if (helper === void 0) return Object.hasOwn(hubs, origin) ? hubs[origin] : void 0;
	const said = await callHelper(helper, "get", origin);
	if (said === void 0) return void 0;
	const { Username: username, Secret: secret } = JSON.parse(said);
	return {
		username,
		secret
	};
}
async function keepCredentials(env, origin, credentials) {
	const settings = await readSettings(env);
	if (settings.helper === void 0) {
		await writeSettings(env, {
			...settings,
			hubs: {
				...settings.hubs,
				[origin]: credentials
			}
		});
		return;
	}
	const { username: Username, secret: Secret } = credentials;
	await callHelper(settings.helper, "store", JSON.stringify({
		ServerURL: origin,
		Username,
		Secret
	}));
}
/** @returns whether there were any */
async function dropCredentials(env, origin) {
	const settings = await readSettings(env);
	if (settings.helper !== void 0) return await callHelper(settings.helper, "erase", origin) !== void 0;
	const { [origin]: gone, ...hubs } = settings.hubs;
	if (gone) await writeSettings(env, {
		...settings,
		hubs
	});
	return gone !== void 0;
}
/**
* The protocol of docker's credential helpers: a verb, something on standard input, an answer on standard output.
* @returns undefined when it has no such credentials
*/
async function callHelper(helper, verb, input) {
	if (!/^[A-Za-z0-9._-]+$/.test(helper)) throw usage("A credential helper is named by a word, such as secretservice");
	const command = `docker-credential-${helper}`;
	const child = spawn(command, [verb], { stdio: [
		"pipe",
		"pipe",
		"inherit"
	] });
	let said = "";
	child.stdout.setEncoding("utf8").on("data", (text) => said += text);
	child.stdin.on("error", () => {}).end(input);
	if (await new Promise((resolve, reject) => {
		child.once("error", (error) => reject(new CliError(`${command} does not run: ${error.message}`)));
		child.once("close", resolve);
	}) === 0) return said;
	if (/not found/i.test(said)) return void 0;
	throw new CliError(`${command} ${verb} failed: ${printable(said)}`);
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

// cli/src/session.ts
/** What a command starts from: its options, its hub, and who it is there. */
/** The hub that the options, BERTH_HUB or the last login name. @throws {CliError} usage */
async function hubOrigin({ env, options }) {
	const named = options.hub ?? (env["BERTH_HUB"] || void 0) ?? (await readSettings(env)).current;
	if (named === void 0) throw usage("Say which hub: berth login HUB, or --hub, or BERTH_HUB");
	return originOf(named);
}
/** The hub of the reference, with the credentials that are kept for it. */
async function openHub(session, reference) {
	const origin = reference?.origin ?? await hubOrigin(session);
	return connect(session, origin, await credentialsFor(session, origin));
}
function connect({ options, output }, origin, credentials) {
	const { retries } = options;
	return new Hub({
		origin,
		...credentials && { authorization: basic(credentials) },
		retries,
		say: (line) => output.note(line)
	});
}
/** BERTH_TOKEN goes to the hub that was chosen, and to no other that a URL may name. */
async function credentialsFor(session, origin) {
	const token = session.env["BERTH_TOKEN"];
	if (token) {
		if (await hubOrigin(session).catch(() => void 0) === origin) return {
			username: session.env["BERTH_USER"] || "<token>",
			secret: token.trim()
		};
	}
	return findCredentials(session.env, origin);
}

// cli/src/commands/login.ts
/** `berth login`, `logout`, `whoami`. */
/** Signs in with a token, or with a password, in whose place a new token is kept. */
async function login(session, named, options) {
	const origin = named === void 0 ? await hubOrigin(session) : originOf(named);
	const { passwordStdin } = options;
	const username = options.username ?? await ask(session, "User: ", "Say who: --username NAME");
	const secret = passwordStdin ? await readStdin() : await ask(session, "Password or token: ", "Give the password on standard input with --password-stdin", true);
	if (secret === "") throw usage("The password is empty");
	const hub = connect(session, origin, {
		username,
		secret
	});
	try {
		const me = await hub.json("GET", "/api/v1/me");
		let kept = {
			username: me.name,
			secret
		};
		if (me.credential === "password") {
			const body = {
				name: `berth on ${hostname()}`,
				actions: [
					"pull",
					"push",
					"delete"
				],
				expires_in_days: options.days
			};
			const { token } = await hub.json("POST", "/api/v1/me/tokens", body);
			kept = {
				username: me.name,
				secret: token
			};
		}
		if (options.helper !== void 0) await writeSettings(session.env, {
			...await readSettings(session.env),
			helper: options.helper
		});
		await keepCredentials(session.env, origin, kept);
		await writeSettings(session.env, {
			...await readSettings(session.env),
			current: origin
		});
		session.output.result({
			hub: origin,
			name: me.name
		}, `signed in at ${origin} as ${me.name}`, origin);
	} finally {
		hub.close();
	}
}
async function logout(session, named) {
	const origin = named === void 0 ? await hubOrigin(session) : originOf(named);
	const gone = await dropCredentials(session.env, origin);
	const { current, ...settings } = await readSettings(session.env);
	if (current === origin) await writeSettings(session.env, settings);
	const said = gone ? `signed out of ${origin}; the token itself holds until it ends, or until berth tokens rm` : `nobody was signed in at ${origin}`;
	session.output.result({
		hub: origin,
		signed_out: gone
	}, said, origin);
}
async function whoami(session) {
	const hub = await openHub(session);
	try {
		const me = await hub.json("GET", "/api/v1/me");
		const limits = [me.actions && `may ${me.actions.join(", ")}`, me.expires_at && `until ${me.expires_at}`];
		const more = [`at ${hub.origin}`, ...limits.filter((text) => text !== void 0)].join(", ");
		session.output.answer({
			hub: hub.origin,
			...me
		}, `${me.name} ${more}`, me.name);
	} finally {
		hub.close();
	}
}
/** The password itself, for what a token may not do. */
async function withPassword(session, options) {
	const origin = await hubOrigin(session);
	const username = options.username ?? (await findCredentials(session.env, origin))?.username ?? await ask(session, "User: ", "Say who: --username NAME");
	const secret = options.passwordStdin ? await readStdin() : await ask(session, `Password of ${username}: `, "A token cannot do this; give your password on standard input with --password-stdin", true);
	return connect(session, origin, {
		username,
		secret
	});
}

// cli/src/commands/tokens.ts
/** `berth tokens`: personal tokens, listed with any credentials, made and revoked with the password. */
async function listTokens(session) {
	const hub = await openHub(session);
	try {
		const tokens = await hub.list("/api/v1/me/tokens");
		const rows = tokens.map(({ id, name, actions, paths, expires_at, last_used_at }) => [
			id,
			name,
			actions.join(","),
			paths?.join(",") ?? "**",
			expires_at.slice(0, 10),
			last_used_at?.slice(0, 10) ?? "never"
		]);
		const table = columns([[
			"ID",
			"NAME",
			"ACTIONS",
			"PATHS",
			"EXPIRES",
			"LAST USED"
		], ...rows]);
		session.output.answer(tokens, table, tokens.map(({ id }) => id));
	} finally {
		hub.close();
	}
}
async function createToken(session, name, options) {
	const hub = await withPassword(session, options);
	const { actions, paths, days } = options;
	try {
		const body = {
			name,
			actions,
			...paths && { paths },
			expires_in_days: days
		};
		const made = await hub.json("POST", "/api/v1/me/tokens", body);
		session.output.note("The token is shown this once:");
		session.output.answer(made, made.token);
	} finally {
		hub.close();
	}
}
async function removeToken(session, id, options) {
	await confirm(session, `Revoke token ${id}`, options.yes);
	const hub = await withPassword(session, options);
	try {
		await hub.ask({
			method: "DELETE",
			path: `/api/v1/me/tokens/${encodeURIComponent(id)}`
		});
		session.output.result({
			id,
			revoked: true
		}, `revoked token ${id}`, id);
	} finally {
		hub.close();
	}
}

// cli/src/paths.ts
/** Names of files inside a version, by the rules of the hub (docs/files.md, "Paths"), and where they go on this disk. */
/** Why the text cannot be a file's path, or undefined when it can. What comes from a hub is judged as well. */
function whyNotPath(path) {
	if (path === "") return "it is empty";
	if (Buffer.byteLength(path) > 1024) return "it has more than 1,024 bytes";
	if (/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\\]/u.test(path)) return "it has a control or invisible character or a backslash";
	if (path.normalize("NFC") !== path) return "it is not in Unicode normal form C";
	if (/^[A-Za-z]:/.test(path)) return "it begins with a drive letter";
	for (const segment of path.split("/")) {
		if (segment === "" || segment === "." || segment === "..") return "a part of it is empty, . or ..";
		if (Buffer.byteLength(segment) > 255) return "a part of it has more than 255 bytes";
	}
}
/**
* Where a version's file goes below `folder`, whose folders are made. A link on the way is refused: it may lead anywhere.
* @throws {CliError}
*/
async function placeFor(folder, path) {
	const reason = whyNotPath(path);
	if (reason !== void 0) throw new CliError(`The hub names a file ${JSON.stringify(printable(path))}: ${reason}`);
	let at = folder;
	await mkdir(at, { recursive: true });
	for (const segment of path.split("/").slice(0, -1)) {
		at = join(at, segment);
		await mkdir(at).catch(async (error) => {
			if (error.code !== "EEXIST") throw error;
			if (!(await lstat(at)).isDirectory()) throw new CliError(`${at} is no folder, so ${printable(path)} cannot go there; remove it, or choose another --output`);
		});
	}
	const place = join(at, path.slice(path.lastIndexOf("/") + 1));
	if ((await lstat(place).catch(() => void 0))?.isDirectory()) throw new CliError(`${place} is a folder, where a file has to go`);
	return place;
}
/** As part of a URL. */
function encodePath(path) {
	return path.split("/").map(encodeURIComponent).join("/");
}

// cli/src/reference.ts
/** `acme/tools/cli:1.2.3/linux/cli`, or the same as a URL under /files. */
const REPOSITORY = /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*$/;
const TAG = /^[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}$/;
const DIGEST = /^sha256:[0-9a-f]{64}$/;
/** @throws {CliError} usage */
function parseReference(text) {
	const url = /^(https?:\/\/[^/]+)\/(?:files\/)?(.*)$/.exec(text);
	const rest = url ? decode(url[2]) : text;
	const [, name = "", tag, digest, path = ""] = /^([^:@]+?)(?:(?::([^/]*)|@(sha256:[0-9a-f]+))(?:\/(.*))?)?$/s.exec(rest) ?? [];
	const repository = tag === void 0 && digest === void 0 ? name.replace(/\/$/, "") : name;
	if (!REPOSITORY.test(repository)) throw usage(`${JSON.stringify(text)} is no reference; write one as team/tools:1.2.3 or team/tools:1.2.3/linux/cli`);
	if (tag === "" || digest !== void 0 && !DIGEST.test(digest)) throw usage(`${JSON.stringify(text)} names no version: after the colon comes a tag, after @ sha256:<64 hex>`);
	const reason = path === "" ? void 0 : whyNotPath(path.replace(/\/$/, ""));
	if (reason !== void 0) throw usage(`${JSON.stringify(path)} cannot be a path: ${reason}`);
	const version = tag ?? digest;
	return {
		...url && { origin: new URL(url[1]).origin },
		repository,
		...version !== void 0 && { version },
		path
	};
}
/** One that can be written to: by a tag. */
function requireTag(reference) {
	const { version } = reference;
	if (version !== void 0 && TAG.test(version)) return version;
	throw usage(`Name the version by a tag, such as ${reference.repository}:1.2.3`);
}
/** Where it is on a hub. */
function filesPath({ repository, version, path }) {
	if (version === void 0) return `/files/${repository}/`;
	return `/files/${named$1(repository, version)}/${encodePath(path)}`;
}
function showReference({ repository, version, path }) {
	if (version === void 0) return repository;
	return `${repository}${version.startsWith("sha256:") ? "@" : ":"}${version}${path === "" ? "" : `/${path}`}`;
}
function named$1(repository, version) {
	return version.startsWith("sha256:") ? `${repository}@${version}` : `${repository}:${encodeURIComponent(version)}`;
}
function decode(text) {
	try {
		return decodeURIComponent(text.replace(/[?#].*$/, ""));
	} catch {
		throw usage("The URL is not percent-encoded UTF-8");
	}
}

// cli/src/listing.ts
/** What a hub says is in a version. */
async function listFolder(hub, reference, recursive) {
	const path = reference.path === "" || reference.path.endsWith("/") ? reference.path : `${reference.path}/`;
	const where = filesPath({
		...reference,
		path
	});
	const listing = await hub.json("GET", recursive ? `${where}?recursive` : where);
	if (!Array.isArray(listing?.files)) throw new CliError(`${hub.origin} did not answer as a Berth hub does`);
	return listing;
}
/** The file of that path; undefined when it may be a folder. */
async function findFile(hub, reference) {
	const { path } = reference;
	if (path === "" || path.endsWith("/")) return void 0;
	const answer = await hub.ask({
		method: "HEAD",
		path: filesPath(reference)
	}, [404]);
	if (answer.status === 404) return void 0;
	const digest = /^"(sha256:[0-9a-f]{64})"$/.exec(answer.header("etag") ?? "")?.[1];
	const size = Number(answer.header("content-length"));
	if (digest === void 0 || !Number.isSafeInteger(size)) throw notFiles(reference);
	return {
		path,
		digest,
		size
	};
}
function notFiles(reference) {
	return new CliError(`${showReference(reference)} is no file with a digest`, EXIT.failure);
}

// cli/src/commands/ls.ts
async function list(session, text, options) {
	const reference = text === void 0 ? void 0 : parseReference(text);
	const hub = await openHub(session, reference);
	try {
		if (reference === void 0) await listProjects(session, hub);
		else if (reference.version !== void 0) await listFiles(session, hub, reference, options.recursive ?? false);
		else if (reference.repository.includes("/")) await listVersions(session, hub, reference);
		else await listRepositories(session, hub, reference.repository);
	} finally {
		hub.close();
	}
}
async function listProjects({ output }, hub) {
	const projects = await hub.list("/api/v1/projects");
	const names = projects.map(({ name }) => name);
	output.answer(projects, columns(projects.map(({ name, visibility }) => [name, visibility])), names);
}
async function listRepositories(session, hub, project) {
	const path = `/api/v1/projects/${encodeURIComponent(project)}/repositories`;
	const all = await hub.list(path);
	session.output.answer(all, all.map((repository) => repository.path));
}
async function listVersions({ output }, hub, reference) {
	const all = [];
	for (let last;;) {
		const query = new URLSearchParams({
			n: "1000",
			...last !== void 0 && { last }
		});
		const { versions } = await hub.json("GET", `${filesPath(reference)}?${query.toString()}`);
		all.push(...versions);
		if (versions.length < 1e3) break;
		last = versions.at(-1)?.version;
	}
	const rows = all.map(({ version, kind, final, files, updated_at }) => [
		version,
		kind,
		files === void 0 ? "" : `${files} files`,
		final ? "final" : "",
		updated_at
	]);
	output.answer(all, columns(rows), all.map(({ version }) => `${reference.repository}:${version}`));
}
async function listFiles({ output }, hub, reference, recursive) {
	const file = await findFile(hub, reference);
	const listing = file ? { files: [file] } : await listFolder(hub, reference, recursive);
	const rows = [...("folders" in listing ? listing.folders ?? [] : []).map((name) => [
		"",
		"",
		`${reference.path.replace(/([^/])$/, "$1/")}${name}/`
	]), ...listing.files.map(({ path, size, digest }) => [
		sizeText(size),
		digest.slice(0, 19),
		path
	])];
	const names = listing.files.map(({ path }) => showReference({
		...reference,
		path
	}));
	output.answer(listing, columns(rows), names);
}

// cli/src/local-files.ts
/** What a command line names on this disk: files, and all that is below folders. */
const MOST_FILES = 1e4;
/** Files of a folder, under their paths in it. @throws {CliError} usage, for what cannot be a file of a version */
async function filesBelow(folder) {
	const root = await realpath(folder);
	const found = [];
	const walk = async (below) => {
		for (const entry of await readdir(join(root, below), { withFileTypes: true })) {
			const path = below === "" ? entry.name : `${below}/${entry.name}`;
			if (entry.isDirectory()) await walk(path);
			else found.push(await localFile(join(root, path), path, root));
		}
	};
	await walk("");
	return checked(found);
}
/** One file, under its own name or another. */
async function oneFile(file, path = basename(resolve(file))) {
	return localFile(resolve(file), path, void 0);
}
/** @param root a link must not lead out of it */
async function localFile(file, path, root) {
	if (root !== void 0 && (await lstat(file)).isSymbolicLink()) {
		const target = await realpath(file).catch(() => void 0);
		if (target === void 0 || relative(root, target).split(sep)[0] === "..") throw usage(`${printable(file)} is a link that leads out of the folder; copy what it means, or remove it`);
	}
	const { size, ...facts } = await stat(file);
	if (!isFile(facts.mode)) throw usage(`${printable(file)} is neither a file nor a folder`);
	return {
		file,
		path: path.normalize("NFC"),
		size
	};
}
function isFile(mode) {
	return (mode & 61440) === 32768;
}
/** In byte order of their paths, as a version keeps them. */
function checked(files) {
	if (files.length === 0) throw usage("There is no file to push");
	if (files.length > MOST_FILES) throw usage(`A version has at most ${MOST_FILES.toLocaleString("en")} files`);
	for (const { path } of files) {
		const reason = whyNotPath(path);
		if (reason !== void 0) throw usage(`${JSON.stringify(printable(path))} cannot be a file of a version: ${reason}`);
	}
	const sorted = files.toSorted((a, b) => Buffer.compare(Buffer.from(a.path), Buffer.from(b.path)));
	const twice = sorted.find(({ path }, i) => i > 0 && sorted[i - 1]?.path === path);
	if (twice) throw usage(`Two files would be ${twice.path} in the version`);
	return sorted;
}
async function digestOf(file) {
	const hash = createHash("sha256");
	for await (const chunk of createReadStream(file, { highWaterMark: 1048576 })) hash.update(chunk);
	return `sha256:${hash.digest("hex")}`;
}

// cli/src/download.ts
/**
* Gets a file under a name of its own, goes on where an earlier try ended, and gives it its final name only when all bytes are
* there and right.
*/
/** @throws {CliError} when what came is not what the digest says; nothing is at `place` then but what was there before */
async function download(hub, wanted, progress, note) {
	const { place, digest, size } = wanted;
	const there = await lstat(place).catch(() => void 0);
	if (there?.isFile() && there.size === size && await digestOf(place) === digest) return "unchanged";
	const draft = draftFor(place, digest);
	const { O_RDWR, O_CREAT, O_NOFOLLOW } = constants;
	const file = await open(draft, O_RDWR | O_CREAT | (O_NOFOLLOW ?? 0), 438);
	let right;
	try {
		right = await fetchInto(file, hub, wanted, progress, note);
		if (!right) {
			await file.truncate(0);
			right = await fetchInto(file, hub, wanted, progress, note);
		}
		if (right) await file.datasync();
	} finally {
		await file.close();
	}
	if (!right) {
		await rm(draft, { force: true });
		throw new CliError(`${printable(place)} came with other bytes than its digest says; nothing was written. Was it changed meanwhile?`);
	}
	await rename(draft, place);
	return "written";
}
/** Beside its place, since only within a folder a rename is sure to be one. */
function draftFor(place, digest) {
	const name = Buffer.from(basename(place)).subarray(0, 200).toString("utf8").replaceAll("�", "");
	return join(dirname(place), `.${name}.${digest.slice(7, 19)}.berth-part`);
}
/** @returns whether the bytes are right */
async function fetchInto(file, hub, wanted, progress, note) {
	const { digest, size } = wanted;
	let { hash, offset } = await hashOf(file, size);
	if (offset > 0) note(`${basename(wanted.place)}: going on at ${offset.toLocaleString("en")} of ${size.toLocaleString("en")} bytes`);
	progress.at(offset);
	await hub.persist(printable(basename(wanted.place)), async (progressed) => {
		if (offset >= size) return;
		const headers = { ...offset > 0 && {
			Range: `bytes=${offset}-`,
			"If-Range": `"${digest}"`
		} };
		const answer = await accept(await hub.send({
			method: "GET",
			path: wanted.path,
			headers
		}));
		const start = answer.status === 206 ? Number(/^bytes (\d+)-/.exec(answer.header("content-range") ?? "")?.[1]) : 0;
		if (start !== offset) {
			if (start !== 0) throw new CliError("The hub sent another part than it was asked for");
			({hash, offset} = {
				hash: createHash("sha256"),
				offset: 0
			});
			await file.truncate(0);
			progress.at(0);
		}
		try {
			for await (const chunk of answer.message) {
				if (offset + chunk.length > size) throw new CliError("The hub sent more than the file has");
				for (let at = 0; at < chunk.length;) at += (await file.write(chunk, at, chunk.length - at, offset + at)).bytesWritten;
				hash.update(chunk);
				offset += chunk.length;
				progress.add(chunk.length);
				progressed();
			}
		} catch (error) {
			const { code } = error;
			if (error instanceof CliError || code === "ENOSPC" || code === "EIO" || code === "EDQUOT") throw error;
			throw new Unreachable("The connection was cut");
		}
		if (offset < size) throw new Unreachable("The connection was cut");
	});
	return `sha256:${hash.digest("hex")}` === digest;
}
/** Of what an earlier try left. */
async function hashOf(file, size) {
	const hash = createHash("sha256");
	if ((await file.stat()).size > size) await file.truncate(0);
	const buffer = Buffer.allocUnsafe(1048576);
	let offset = 0;
	for (;;) {
		const { bytesRead } = await file.read(buffer, 0, buffer.length, offset);
		if (bytesRead === 0) return {
			hash,
			offset
		};
		hash.update(buffer.subarray(0, bytesRead));
		offset += bytesRead;
	}
}

// cli/src/pool.ts
/** Several things at a time, and not more. */
/** Does the work for every item, `width` at a time. The first failure ends it, when what is under way has ended. */
async function inParallel(items, width, work) {
	let next = 0;
	let failed = false;
	const lane = async () => {
		while (next < items.length && !failed) try {
			await work(items[next++]);
		} catch (error) {
			failed = true;
			throw error;
		}
	};
	const failure = (await Promise.allSettled(Array.from({ length: Math.min(width, items.length) }, lane))).find((end) => end.status === "rejected");
	if (failure) throw failure.reason;
}

// cli/src/commands/pull.ts
/** `berth pull`: a version, a folder of it, or one file. */
async function pull(session, text, options) {
	const reference = parseReference(text);
	if (reference.version === void 0) throw usage(`Say which version: ${reference.repository}:latest, for example`);
	const hub = await openHub(session, reference);
	const outcomes = {
		written: 0,
		unchanged: 0
	};
	let found;
	try {
		found = await find(hub, reference, options.output);
		const { wanted } = found;
		refuseTwins(wanted);
		const progress = session.output.progress("pulling");
		progress.expect(wanted.length, sum(wanted));
		await inParallel(options.dryRun ? [] : wanted, options.jobs, async (file) => {
			const bar = progress.file(file.path, file.size);
			const place = file.below === void 0 ? file.place : await placeFor(file.below, file.inside);
			outcomes[await download(hub, {
				...file,
				place
			}, bar, (line) => session.output.note(line))]++;
			bar.done();
		});
	} finally {
		session.output.end();
		hub.close();
	}
	const { wanted, version } = found;
	const files = wanted.map(({ inside: path, size, digest, place }) => ({
		path,
		size,
		digest,
		place
	}));
	const value = {
		reference: showReference({
			...reference,
			version
		}),
		bytes: sum(wanted),
		...outcomes,
		files
	};
	const left = outcomes.unchanged === 0 ? "" : `, ${outcomes.unchanged.toLocaleString("en")} of them here already`;
	const said = `${options.dryRun ? "would pull" : "pulled"} ${countText(wanted.length)}, ${sizeText(sum(wanted))} of ${value.reference}${left}`;
	session.output.result(value, said, files.map(({ place }) => place));
}
async function find(hub, reference, output) {
	const file = await findFile(hub, reference);
	if (file) return {
		version: reference.version,
		wanted: [await singleTarget(reference, file, output)]
	};
	const listing = await listFolder(hub, reference, true);
	const { repository, version, digest } = listing;
	const pinned = {
		repository,
		version: digest ?? version
	};
	const below = resolve(output ?? ".");
	const prefix = listing.path;
	return {
		version,
		wanted: listing.files.map((entry) => {
			if (!entry.path.startsWith(prefix)) throw new CliError("The hub lists files of another folder");
			const inside = entry.path.slice(prefix.length);
			return {
				...target({
					...pinned,
					path: entry.path
				}, entry),
				inside,
				below,
				place: join(below, inside)
			};
		})
	};
}
async function singleTarget(reference, entry, output = ".") {
	const name = basename(entry.path);
	const folder = output.endsWith("/") || await stat(output).then((facts) => facts.isDirectory(), () => false);
	const place = folder ? join(output, name) : output;
	const below = folder ? resolve(output) : resolve(dirname(output));
	return {
		...target(reference, entry),
		place,
		inside: folder ? name : basename(place),
		below
	};
}
function target(reference, { digest, size }) {
	if (!/^sha256:[0-9a-f]{64}$/.test(digest) || !Number.isSafeInteger(size) || size < 0) throw new CliError(`The hub says no digest of ${printable(reference.path)} that can be checked`);
	return {
		path: filesPath(reference),
		digest,
		size
	};
}
/** Where a disk does not tell A from a, one file would replace the other. */
function refuseTwins(wanted) {
	const fold = process.platform === "win32" || process.platform === "darwin";
	const seen = /* @__PURE__ */ new Set();
	for (const { place } of wanted) {
		const key = fold ? place.normalize("NFC").toLowerCase() : place;
		if (seen.has(key)) throw new CliError(`Two files of the version would be ${printable(place)} on this disk`);
		seen.add(key);
	}
}
function sum(files) {
	return files.reduce((bytes, { size }) => bytes + size, 0);
}

// cli/src/manifest.ts
/** The manifest of a version of files, byte for byte as the hub builds it (docs/files.md, "The same files through /v2"). */
const MANIFEST_TYPE = "application/vnd.oci.image.manifest.v1+json";
const EMPTY_CONFIG = {
	mediaType: "application/vnd.oci.empty.v1+json",
	digest: "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a",
	size: 2,
	data: "e30="
};
/** @param files in byte order of their paths */
function writeManifest(files, properties) {
	const annotations = Object.entries(properties).sort(([a], [b]) => a < b ? -1 : 1);
	const document = {
		schemaVersion: 2,
		mediaType: MANIFEST_TYPE,
		artifactType: "application/vnd.berth.file.v1",
		config: EMPTY_CONFIG,
		layers: files.map(({ path, digest, size }) => ({
			mediaType: "application/octet-stream",
			digest,
			size,
			annotations: { "org.opencontainers.image.title": path }
		})),
		...annotations.length > 0 && { annotations: Object.fromEntries(annotations) }
	};
	return Buffer.from(JSON.stringify(document));
}
function sha256(bytes) {
	return `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
}

// cli/src/upload-blob.ts
/**
* Sends bytes to a repository through /v2, where nothing shows until a manifest names them. How far an upload is, is kept in
* `$XDG_STATE_HOME/berth`, so that a program that was killed goes on where it ended.
*/
/** Smaller blobs are sent without asking whether they are there. */
const WORTH_ASKING$1 = 65536;
/** Larger ones go through an upload that can be gone on with. */
const ONE_REQUEST = 16777216;
async function sendBlob(target, file, progress) {
	const { hub, repository } = target;
	if (file.size >= WORTH_ASKING$1) {
		if ((await hub.ask({
			method: "HEAD",
			path: `/v2/${repository}/blobs/${file.digest}`
		}, [404])).status !== 404) return;
	}
	if (file.size > ONE_REQUEST) return sendResumably(target, file, progress);
	await hub.persist(printable(file.path), async () => {
		progress.at(0);
		const body = file.size === 0 ? Buffer.alloc(0) : {
			file: file.file,
			start: 0,
			end: file.size - 1,
			sent: progress.add
		};
		await accept(await hub.send({
			method: "POST",
			path: uploadsPath(repository, file.digest),
			headers: OCTETS,
			body
		}));
	});
}
async function sendBytes({ hub, repository }, digest, body) {
	await hub.ask({
		method: "POST",
		path: uploadsPath(repository, digest),
		headers: OCTETS,
		body
	});
}
const OCTETS = { "Content-Type": "application/octet-stream" };
function uploadsPath(repository, digest) {
	return `/v2/${repository}/blobs/uploads/?digest=${encodeURIComponent(digest)}`;
}
async function sendResumably(target, file, progress) {
	const { hub, note } = target;
	const memory = new UploadMemory(target, file.digest);
	let location = await memory.read();
	await hub.persist(printable(file.path), async (progressed) => {
		let offset = 0;
		if (location !== void 0) {
			const answer = await accept(await hub.send({
				method: "GET",
				path: location
			}), [404]);
			if (answer.status !== 404) offset = offsetOf$1(answer);
			if (offset === 0) location = void 0;
		}
		if (location === void 0) {
			const path = `/v2/${target.repository}/blobs/uploads/`;
			location = locationOf(await accept(await hub.send({
				method: "POST",
				path,
				body: Buffer.alloc(0)
			})));
			await memory.write(location);
		} else note(`${file.path}: going on at ${offset.toLocaleString("en")} of ${file.size.toLocaleString("en")} bytes`);
		progress.at(offset);
		try {
			if (offset < file.size) {
				const sent = (bytes) => {
					progress.add(bytes);
					progressed();
				};
				const body = {
					file: file.file,
					start: offset,
					end: file.size - 1,
					sent
				};
				location = locationOf(await accept(await hub.send({
					method: "PATCH",
					path: location,
					headers: OCTETS,
					body
				})));
			}
			const path = `${location}${location.includes("?") ? "&" : "?"}digest=${encodeURIComponent(file.digest)}`;
			await accept(await hub.send({
				method: "PUT",
				path,
				body: Buffer.alloc(0)
			}));
		} catch (error) {
			if (!(error instanceof HubError)) throw error;
			if (error.status === 404 || error.code === "DIGEST_INVALID") {
				await memory.forget();
				location = void 0;
				if (offset > 0) throw new Unreachable("what was sent before is of no use");
			}
			throw error;
		}
	});
	await memory.forget();
}
/** `Range: 0-0` is said of no byte and of one, so one byte counts as none. */
function offsetOf$1(answer) {
	const last = Number(/^0-(\d+)$/.exec(answer.header("range") ?? "")?.[1] ?? 0);
	return last === 0 ? 0 : last + 1;
}
function locationOf(answer) {
	const location = answer.header("location");
	if (location === void 0) throw new CliError("The hub did not say where the upload goes on");
	return location;
}
var UploadMemory = class {
	#file;
	#prefix;
	constructor({ hub, repository, state }, digest) {
		const name = createHash("sha256").update(JSON.stringify([
			hub.origin,
			repository,
			digest
		])).digest("hex");
		this.#file = join(state, "uploads", name);
		this.#prefix = `/v2/${repository}/blobs/uploads/`;
	}
	async read() {
		const text = (await readFile(this.#file, "utf8").catch(() => "")).trim();
		return text.startsWith(this.#prefix) ? text : void 0;
	}
	/** Not being able to remember is no reason not to send. */
	async write(location) {
		await mkdir(join(this.#file, ".."), {
			recursive: true,
			mode: 448
		}).catch(() => {});
		await writeFile(this.#file, location, { mode: 384 }).catch(() => {});
	}
	async forget() {
		await rm(this.#file, { force: true }).catch(() => {});
	}
};

// cli/src/upload-file.ts
/** Puts one file into a version through /files. What a cut request brought is kept by the hub and not sent again. */
/** Smaller files are sent at once: asking first costs more. */
const WORTH_ASKING = 262144;
/** The hub keeps nothing of a cut request below this. */
const RESUMABLE = 1048576;
/** A cut request may still hold the file for a moment. */
const MOST_CONFLICTS = 3;
async function putFile(hub, version, file, progress, note) {
	const path = filesPath({
		...version,
		path: file.path
	});
	const sha256 = file.digest.slice(7);
	if (file.size >= WORTH_ASKING) {
		const deploy = {
			"X-Checksum-Deploy": "true",
			"X-Checksum-Sha256": sha256,
			Accept: "application/json"
		};
		const answer = await hub.ask({
			method: "PUT",
			path,
			headers: deploy
		}, [404]);
		const text = await answer.text();
		if (answer.status !== 404) return outcomeOf(text);
	}
	let conflicts = 0;
	let fromStart = file.size < RESUMABLE;
	return hub.persist(printable(file.path), async (progressed) => {
		const offset = fromStart ? 0 : await offsetOf(hub, path, file.size);
		if (offset > 0) note(`${file.path}: going on at ${offset.toLocaleString("en")} of ${file.size.toLocaleString("en")} bytes`);
		progress.at(offset);
		const headers = {
			Accept: "application/json",
			"X-Checksum-Sha256": sha256,
			...offset > 0 && { "Content-Range": `bytes ${offset}-${file.size - 1}/${file.size}` }
		};
		const sent = (bytes) => {
			progress.add(bytes);
			progressed();
		};
		const body = file.size === 0 ? Buffer.alloc(0) : {
			file: file.file,
			start: offset,
			end: file.size - 1,
			sent
		};
		try {
			return outcomeOf(await (await accept(await hub.send({
				method: "PUT",
				path,
				headers,
				body
			}))).text());
		} catch (error) {
			if (!(error instanceof HubError) || offset === 0) throw error;
			if (error.code === "checksum-mismatch") {
				fromStart = true;
				throw new Unreachable("what was sent before belongs to another file");
			}
			if (error.status === 409 && conflicts++ < MOST_CONFLICTS || error.status === 416) throw new Unreachable(error.message);
			throw error;
		}
	});
}
/** How many bytes are there already. A piece cannot be empty, so what came whole and was not finished begins anew. */
async function offsetOf(hub, path, size) {
	const answer = await accept(await hub.send({
		method: "HEAD",
		path: `${path}?partial`
	}), [404]);
	const offset = Number(answer.header("upload-offset") ?? 0);
	return Number.isSafeInteger(offset) && offset < size ? offset : 0;
}
function outcomeOf(text) {
	try {
		return JSON.parse(text).outcome;
	} catch {
		throw new CliError("The hub did not say what became of the file");
	}
}

// cli/src/commands/push.ts
/** `berth push`: a folder becomes a version at once; files are put into one, beside what is there. */
/** As the hub takes it. */
const LARGEST_MANIFEST = 4194304;
/** @param given paths of this disk, and last the reference */
async function push(session, given, options) {
	const reference = parseReference(given.at(-1));
	requireTag(reference);
	const sources = given.slice(0, -1);
	if (sources.length === 0) throw usage("Say what to push, and then where: berth push dist team/tools:1.2.3");
	const { files, folder } = await collect$1(sources, reference);
	const properties = propertiesOf(options.property);
	if (options.dryRun) return say(session, reference, files, {}, "would push");
	const hub = await openHub(session, reference);
	const version = {
		...reference,
		path: ""
	};
	const whole = folder && !options.add && reference.path === "";
	if (options.replace && !whole) throw usage("--replace is for one folder that becomes the whole version");
	const progress = session.output.progress("pushing");
	progress.expect(files.length, files.reduce((sum, { size }) => sum + size, 0));
	const work = {
		session,
		hub,
		version,
		files,
		properties,
		options,
		progress
	};
	let more;
	try {
		more = whole ? await pushVersion(work) : await pushFiles(work);
		if (options.final) await hub.ask({
			method: "POST",
			path: `${filesPath(version)}?finalise`
		});
	} finally {
		session.output.end();
		hub.close();
	}
	say(session, version, files, more, "pushed");
}
/** Bytes first, then one manifest: the version is there with all its files, or not at all. */
async function pushVersion({ session, hub, version, files, properties, options, progress }) {
	const { repository } = version;
	const hashed = /* @__PURE__ */ new Map();
	await inParallel(files, options.jobs, async (file) => {
		hashed.set(file.path, {
			...file,
			digest: await digestOf(file.file)
		});
	});
	const all = files.map(({ path }) => hashed.get(path));
	const body = writeManifest(all, properties);
	if (body.length > LARGEST_MANIFEST) throw usage("The names and digests of a version take at most 4 MiB; push fewer files");
	const digest = sha256(body);
	const path = `/v2/${repository}/manifests/${version.version}`;
	const before = await hub.ask({
		method: "HEAD",
		path,
		headers: { Accept: `${MANIFEST_TYPE}, */*` }
	}, [404]);
	if (before.header("docker-content-digest") === digest) return {
		digest,
		outcome: "unchanged"
	};
	if (before.status !== 404 && !options.replace) {
		const sentence = `${showReference(version)} is there with other files; --replace makes it this folder, --add puts these files beside them`;
		throw new CliError(sentence, EXIT.conflict);
	}
	const note = (line) => session.output.note(line);
	const target = {
		hub,
		repository,
		state: stateFolder(session.env),
		note
	};
	await sendBytes(target, EMPTY_CONFIG.digest, Buffer.from("{}"));
	const sent = /* @__PURE__ */ new Map();
	await inParallel(all, options.jobs, async (file) => {
		const bar = progress.file(file.path, file.size);
		const sending = sent.get(file.digest) ?? sendBlob(target, file, bar);
		sent.set(file.digest, sending);
		await sending;
		bar.done();
	});
	await hub.ask({
		method: "PUT",
		path,
		headers: { "Content-Type": MANIFEST_TYPE },
		body
	});
	return {
		digest,
		outcome: before.status === 404 ? "created" : "replaced"
	};
}
/** One by one: each is in the version as soon as it is there, whoever else puts files into it. */
async function pushFiles({ session, hub, version, files, properties, options, progress }) {
	const outcomes = {};
	await inParallel(files, options.jobs, async (file) => {
		const one = {
			...file,
			digest: await digestOf(file.file)
		};
		const bar = progress.file(file.path, file.size);
		outcomes[file.path] = await putFile(hub, version, one, bar, (line) => session.output.note(line)).catch(named(file));
		bar.done();
	});
	if (Object.keys(properties).length > 0) await hub.json("PATCH", filesPath(version), { properties });
	return { outcomes };
}
/** Of many files, it is good to know which one was refused. */
function named({ path }) {
	return (error) => {
		if (error instanceof HubError) error.message = `${printable(path)}: ${error.message}`;
		throw error;
	};
}
async function collect$1(sources, { path }) {
	const found = [];
	let folders = 0;
	for (const source of sources) if ((await stat(source).catch((error) => {
		throw usage(error.code === "ENOENT" ? `There is no ${printable(source)} here` : error.message);
	})).isDirectory()) {
		folders++;
		found.push(...await filesBelow(source));
	} else found.push(await oneFile(source));
	const single = sources.length === 1 && folders === 0 && path !== "" && !path.endsWith("/");
	const files = found.map((file) => single ? {
		...file,
		path
	} : path === "" ? file : {
		...file,
		path: `${path.replace(/\/$/, "")}/${file.path}`
	});
	return {
		files: checked(files),
		folder: folders === 1 && sources.length === 1
	};
}
function propertiesOf(given) {
	const pairs = given.map((text) => {
		const equals = text.indexOf("=");
		if (equals < 1) throw usage(`--property is name=value, not ${JSON.stringify(printable(text))}`);
		return [text.slice(0, equals), text.slice(equals + 1)];
	});
	return Object.fromEntries(pairs);
}
function say(session, version, files, more, verb) {
	const bytes = files.reduce((sum, { size }) => sum + size, 0);
	const reference = showReference(version);
	const shown = files.map(({ path, size }) => ({
		path,
		size
	}));
	const value = {
		reference,
		...more,
		bytes,
		files: shown
	};
	const text = `${verb} ${countText(files.length)}, ${sizeText(bytes)} to ${reference}`;
	const lines = verb === "pushed" ? [text] : [...columns(files.map(({ path, size }) => [sizeText(size), path])), text];
	session.output.result(value, lines, reference);
}

// cli/src/commands/rm.ts
/** `berth rm`: a file, or a version. */
async function remove(session, texts, options) {
	const references = texts.map(parseReference);
	for (const reference of references) {
		requireTag(reference);
		if (reference.path.endsWith("/")) throw usage("A folder goes with its last file; name files, or the version");
	}
	const names = references.map(showReference);
	if (options.dryRun) return session.output.result(names, names.map((name) => `would remove ${name}`), names);
	await confirm(session, `Remove ${names.join(", ")}`, options.yes);
	for (const reference of references) {
		const hub = await openHub(session, reference);
		try {
			await hub.ask({
				method: "DELETE",
				path: filesPath(reference)
			});
		} finally {
			hub.close();
		}
	}
	session.output.result(names, names.map((name) => `removed ${name}`), names);
}

// cli/src/commands/share.ts
/** `berth share`: links that open one file to whoever has them. */
const UNITS = {
	s: 1,
	m: 60,
	h: 3600,
	d: 86400
};
async function share(session, text, options) {
	const reference = parseReference(text);
	const { repository, version, path } = reference;
	if (version === void 0 || path === "" || path.endsWith("/")) throw usage("A link opens one file: berth share team/tools:1.2.3/linux/cli");
	const [, count, unit = ""] = /^(\d{1,8})([smhd])$/.exec(options.for) ?? [];
	if (count === void 0) throw usage("--for is a number and s, m, h or d, such as 12h");
	const hub = await openHub(session, reference);
	try {
		const made = await hub.json("POST", `/api/v1/projects/${projectOf(repository)}/shares`, {
			repository,
			version,
			path,
			action: options.upload ? "upload" : "download",
			expires_in_seconds: Number(count) * (UNITS[unit] ?? 1)
		});
		session.output.note(`Holds until ${made.expires_at}; berth share rm ${projectOf(repository)} ${made.id} takes it back`);
		session.output.answer(made, made.url);
	} finally {
		hub.close();
	}
}
async function listShares(session, project) {
	const hub = await openHub(session);
	try {
		const all = await hub.list(`/api/v1/projects/${encodeURIComponent(project)}/shares`);
		const rows = all.map((one) => [
			one.id,
			one.action,
			showReference(one),
			one.created_by,
			one.expires_at
		]);
		session.output.answer(all, columns(rows), all.map(({ id }) => id));
	} finally {
		hub.close();
	}
}
async function revokeShare(session, project, id) {
	const hub = await openHub(session);
	const path = `/api/v1/projects/${encodeURIComponent(project)}/shares/${encodeURIComponent(id)}`;
	try {
		await hub.ask({
			method: "DELETE",
			path
		});
		session.output.result({
			id,
			revoked: true
		}, `took back link ${id}`, id);
	} finally {
		hub.close();
	}
}
function projectOf(repository) {
	return repository.split("/")[0];
}

// cli/src/completion.ts
const SHELLS = [
	"bash",
	"zsh",
	"fish"
];
function nodesOf(command, path = "") {
	const visible = command.commands.filter((each) => each.name() !== "help");
	const options = command.options.flatMap(({ long, description }) => long ? [{
		text: long,
		about: description
	}] : []);
	const words = [...visible.map((each) => ({
		text: each.name(),
		about: each.description()
	})), ...options];
	const below = visible.flatMap((each) => nodesOf(each, path === "" ? each.name() : `${path} ${each.name()}`));
	return [{
		path,
		words: [...words, {
			text: "--help",
			about: "Help"
		}]
	}, ...below];
}
/** Which of the commands the line has come to; what is no command is an argument. */
const WALK = `  local at="" word
  for word in "\${before[@]}"; do
    case " $paths " in *" \${at:+$at/}$word "*) at="\${at:+$at/}$word" ;; esac
  done`;
function completionScript(shell, program) {
	const nodes = nodesOf(program);
	if (shell === "fish") return fish(nodes);
	const paths = nodes.map(({ path }) => path.replaceAll(" ", "/")).filter((path) => path !== "");
	const cases = nodes.map(({ path, words }) => `    "${path.replaceAll(" ", "/")}") words="${words.map(({ text }) => text).join(" ")}" ;;`);
	const choose = `  local paths="${paths.join(" ")}" words=""\n${WALK}\n  case "$at" in\n${cases.join("\n")}\n  esac`;
	if (shell === "bash") return `# bash: source <(berth completion bash)
_berth() {
  local current="\${COMP_WORDS[COMP_CWORD]}"
  local before=("\${COMP_WORDS[@]:1:COMP_CWORD-1}")
${choose}
  COMPREPLY=($(compgen -W "$words" -- "$current"))
}
complete -o default -F _berth berth
`;
	return `#compdef berth
# zsh: source <(berth completion zsh)
_berth() {
  local -a before
  before=("\${(@)words[2,CURRENT-1]}")
${choose.replaceAll("words", "candidates")}
  compadd -- \${=candidates}
  _files
}
compdef _berth berth
`;
}
function fish(nodes) {
	return `# fish: berth completion fish | source\n${nodes.flatMap(({ path, words }) => {
		const tests = path.split(" ").filter((word) => word !== "").map((word) => `__fish_seen_subcommand_from ${word}`);
		const children = words.filter(({ text }) => !text.startsWith("--")).map(({ text }) => text);
		if (children.length > 0) tests.push(`not __fish_seen_subcommand_from ${children.join(" ")}`);
		const condition = tests.length === 0 ? "" : ` -n '${tests.join("; and ")}'`;
		return words.map(({ text, about }) => {
			const what = text.startsWith("--") ? `-l ${text.slice(2)}` : `-a ${text}`;
			return `complete -c berth${condition} ${what} -d '${about.replaceAll("'", "’")}'`;
		});
	}).join("\n")}\n`;
}

// cli/src/berth.ts
/** `berth`, for people who use a hub: docs/cli.md. */
const program = new Command("berth").description("Push, pull and share the files of a Berth hub").version("0.1.0").option("--hub <address>", "the hub, instead of BERTH_HUB or the last login").addOption(new Option("-o, --format <format>", "form of the result").choices(FORMATS).default("text")).option("-q, --quiet", "print nothing but errors and what was asked for").option("--no-input", "never ask, fail instead").option("--retries <n>", "how often to try again while the hub is busy or away", whole(0, 100), 5).exitOverride().showHelpAfterError("(berth COMMAND --help lists what there is)").configureOutput({ outputError: (text, write) => write(text.replace(/^error: /, "berth: ")) });
let output;
/** Options may stand before and after the command. */
function session() {
	const options = program.opts();
	output = new Output({
		format: options.format,
		quiet: options.quiet ?? false
	});
	return {
		env: process.env,
		options,
		output
	};
}
const jobs = new Option("-j, --jobs <n>", "files at a time").argParser(whole(1, 32)).default(4);
const yes = new Option("-y, --yes", "do not ask");
const dryRun = new Option("--dry-run", "say what would be done");
const username = new Option("-u, --username <name>", "who");
const passwordStdin = new Option("--password-stdin", "read the password or token from standard input");
command("login [hub]", "Sign in; in place of a password a token is kept").addOption(username).addOption(passwordStdin).option("--helper <name>", "let docker-credential-<name> keep the secrets").option("--days <n>", "life of the token", whole(1, 365), 90).action((hub, options) => login(session(), hub, options));
command("logout [hub]", "Forget the credentials").action((hub) => logout(session(), hub));
command("whoami", "Who this is, and what it may do").action(() => whoami(session()));
command("push <path...>", "Push PATH… to REFERENCE: a folder as a version, or files into one").usage("[options] PATH... REFERENCE").option("--add", "put the files of a folder beside what is in the version").option("--replace", "make the version what the folder is, whatever it was").option("--final", "finalise: from then on nothing in the version changes").option("-p, --property <name=value>", "say something about the version; repeatable", collect, []).addOption(jobs).addOption(dryRun).action((given, options) => push(session(), given, options));
command("pull <reference>", "Pull a version, a folder of it, or a file").option("--output <path>", "folder, or the name of a single file (.)").addOption(jobs).addOption(dryRun).action((reference, options) => pull(session(), reference, options));
command("ls [reference]", "List projects, repositories, versions or files").option("-r, --recursive", "files of all folders").action((reference, options) => list(session(), reference, options));
command("rm <reference...>", "Remove files or versions").addOption(yes).addOption(dryRun).action((references, options) => remove(session(), references, options));
const sharing = command("share", "Links that open one file to whoever has them").usage("REFERENCE | ls PROJECT | rm PROJECT ID");
sharing.command("create <reference>", { isDefault: true }).description("Make a link").option("--for <time>", "how long it holds, such as 30m, 12h, 7d", "24h").option("--upload", "to put the file, not to get it").action((reference, options) => share(session(), reference, options));
sharing.command("ls <project>").description("Links that hold now").action((project) => listShares(session(), project));
sharing.command("rm <project> <id>").description("Take a link back").action((project, id) => revokeShare(session(), project, id));
const tokens = command("tokens", "Personal tokens");
tokens.command("ls", { isDefault: true }).description("List them").action(() => listTokens(session()));
tokens.command("create <name>").description("Make one, with your password").option("--actions <list>", "pull, push, delete, admin", commas, ["pull", "push"]).option("--paths <list>", "repositories, with * and **", commas).option("--days <n>", "life of the token", whole(1, 365), 90).addOption(username).addOption(passwordStdin).action((name, options) => createToken(session(), name, options));
tokens.command("rm <id>").description("Revoke one, with your password").addOption(yes).addOption(username).addOption(passwordStdin).action((id, options) => removeToken(session(), id, options));
program.command("completion").argument("<shell>", SHELLS.join(", "), oneOf(SHELLS)).description("Print a script that completes commands").action((shell) => void process.stdout.write(completionScript(shell, program)));
function command(signature, description) {
	return program.command(signature).description(description);
}
function whole(least, most) {
	return (text) => {
		const value = Number(text);
		if (Number.isInteger(value) && value >= least && value <= most) return value;
		throw new InvalidArgumentError(`It is a number from ${least} to ${most}.`);
	};
}
function oneOf(choices) {
	return (text) => {
		const choice = choices.find((each) => each === text);
		if (choice !== void 0) return choice;
		throw new InvalidArgumentError(`It is one of ${choices.join(", ")}.`);
	};
}
function collect(text, before) {
	return [...before, text];
}
function commas(text) {
	return text.split(",").filter((part) => part !== "");
}
function explain(error) {
	output?.end();
	if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
	process.stderr.write(`berth: ${printable(error.message)}\n`);
	return error instanceof CliError ? error.exitCode : EXIT.failure;
}
process.stdout.on("error", () => process.exit(EXIT.ok));
process.stderr.on("error", () => {});
process.on("SIGINT", () => {
	output?.end();
	process.exit(EXIT.interrupted);
});
try {
	await program.parseAsync();
	process.exitCode = EXIT.ok;
} catch (error) {
	process.exitCode = explain(error);
}

export {  };

// This file contains these libraries:
//
// ansi-regex 5.0.1
//
// MIT License
//
// Copyright (c) Sindre Sorhus <sindresorhus@gmail.com> (sindresorhus.com)
//
// Permission is hereby granted, free of charge, to any person obtaining a copy of this software and associated documentation files (the "Software"), to deal in the Software without restriction, including without limitation the rights to use, copy, modify, merge, publish, distribute, sublicense, and/or sell copies of the Software, and to permit persons to whom the Software is furnished to do so, subject to the following conditions:
//
// The above copyright notice and this permission notice shall be included in all copies or substantial portions of the Software.
//
// THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR IMPLIED, INCLUDING BUT NOT LIMITED TO THE WARRANTIES OF MERCHANTABILITY, FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE AUTHORS OR COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR OTHERWISE, ARISING FROM, OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE SOFTWARE.
//
// ----
//
// cli-progress 3.12.0
//
// The MIT License (X11 License)
//
// Copyright (c) 2015-2022 Andi Dittrich
//
// Permission is hereby granted, free of charge, to any person
// obtaining a copy of this software and associated documentation
// files (the "Software"), to deal in the Software without
// restriction, including without limitation the rights to use,
// copy, modify, merge, publish, distribute, sublicense, and/or sell
// copies of the Software, and to permit persons to whom the
// Software is furnished to do so, subject to the following
// conditions:
//
// The above copyright notice and this permission notice shall be
// included in all copies or substantial portions of the Software.
//
// THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND,
// EXPRESS OR IMPLIED, INCLUDING BUT NOT LIMITED TO THE WARRANTIES
// OF MERCHANTABILITY, FITNESS FOR A PARTICULAR PURPOSE AND
// NONINFRINGEMENT. IN NO EVENT SHALL THE AUTHORS OR COPYRIGHT
// HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER LIABILITY,
// WHETHER IN AN ACTION OF CONTRACT, TORT OR OTHERWISE, ARISING
// FROM, OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR
// OTHER DEALINGS IN THE SOFTWARE.
//
// ----
//
// commander 15.1.0
//
// (The MIT License)
//
// Copyright (c) 2011 TJ Holowaychuk <tj@vision-media.ca>
//
// Permission is hereby granted, free of charge, to any person obtaining
// a copy of this software and associated documentation files (the
// 'Software'), to deal in the Software without restriction, including
// without limitation the rights to use, copy, modify, merge, publish,
// distribute, sublicense, and/or sell copies of the Software, and to
// permit persons to whom the Software is furnished to do so, subject to
// the following conditions:
//
// The above copyright notice and this permission notice shall be
// included in all copies or substantial portions of the Software.
//
// THE SOFTWARE IS PROVIDED 'AS IS', WITHOUT WARRANTY OF ANY KIND,
// EXPRESS OR IMPLIED, INCLUDING BUT NOT LIMITED TO THE WARRANTIES OF
// MERCHANTABILITY, FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT.
// IN NO EVENT SHALL THE AUTHORS OR COPYRIGHT HOLDERS BE LIABLE FOR ANY
// CLAIM, DAMAGES OR OTHER LIABILITY, WHETHER IN AN ACTION OF CONTRACT,
// TORT OR OTHERWISE, ARISING FROM, OUT OF OR IN CONNECTION WITH THE
// SOFTWARE OR THE USE OR OTHER DEALINGS IN THE SOFTWARE.
//
// ----
//
// emoji-regex 8.0.0
//
// Copyright Mathias Bynens <https://mathiasbynens.be/>
//
// Permission is hereby granted, free of charge, to any person obtaining
// a copy of this software and associated documentation files (the
// "Software"), to deal in the Software without restriction, including
// without limitation the rights to use, copy, modify, merge, publish,
// distribute, sublicense, and/or sell copies of the Software, and to
// permit persons to whom the Software is furnished to do so, subject to
// the following conditions:
//
// The above copyright notice and this permission notice shall be
// included in all copies or substantial portions of the Software.
//
// THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND,
// EXPRESS OR IMPLIED, INCLUDING BUT NOT LIMITED TO THE WARRANTIES OF
// MERCHANTABILITY, FITNESS FOR A PARTICULAR PURPOSE AND
// NONINFRINGEMENT. IN NO EVENT SHALL THE AUTHORS OR COPYRIGHT HOLDERS BE
// LIABLE FOR ANY CLAIM, DAMAGES OR OTHER LIABILITY, WHETHER IN AN ACTION
// OF CONTRACT, TORT OR OTHERWISE, ARISING FROM, OUT OF OR IN CONNECTION
// WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE SOFTWARE.
//
// ----
//
// is-fullwidth-code-point 3.0.0
//
// MIT License
//
// Copyright (c) Sindre Sorhus <sindresorhus@gmail.com> (sindresorhus.com)
//
// Permission is hereby granted, free of charge, to any person obtaining a copy of this software and associated documentation files (the "Software"), to deal in the Software without restriction, including without limitation the rights to use, copy, modify, merge, publish, distribute, sublicense, and/or sell copies of the Software, and to permit persons to whom the Software is furnished to do so, subject to the following conditions:
//
// The above copyright notice and this permission notice shall be included in all copies or substantial portions of the Software.
//
// THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR IMPLIED, INCLUDING BUT NOT LIMITED TO THE WARRANTIES OF MERCHANTABILITY, FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE AUTHORS OR COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR OTHERWISE, ARISING FROM, OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE SOFTWARE.
//
// ----
//
// string-width 4.2.3
//
// MIT License
//
// Copyright (c) Sindre Sorhus <sindresorhus@gmail.com> (sindresorhus.com)
//
// Permission is hereby granted, free of charge, to any person obtaining a copy of this software and associated documentation files (the "Software"), to deal in the Software without restriction, including without limitation the rights to use, copy, modify, merge, publish, distribute, sublicense, and/or sell copies of the Software, and to permit persons to whom the Software is furnished to do so, subject to the following conditions:
//
// The above copyright notice and this permission notice shall be included in all copies or substantial portions of the Software.
//
// THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR IMPLIED, INCLUDING BUT NOT LIMITED TO THE WARRANTIES OF MERCHANTABILITY, FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE AUTHORS OR COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR OTHERWISE, ARISING FROM, OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE SOFTWARE.
//
// ----
//
// strip-ansi 6.0.1
//
// MIT License
//
// Copyright (c) Sindre Sorhus <sindresorhus@gmail.com> (sindresorhus.com)
//
// Permission is hereby granted, free of charge, to any person obtaining a copy of this software and associated documentation files (the "Software"), to deal in the Software without restriction, including without limitation the rights to use, copy, modify, merge, publish, distribute, sublicense, and/or sell copies of the Software, and to permit persons to whom the Software is furnished to do so, subject to the following conditions:
//
// The above copyright notice and this permission notice shall be included in all copies or substantial portions of the Software.
//
// THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR IMPLIED, INCLUDING BUT NOT LIMITED TO THE WARRANTIES OF MERCHANTABILITY, FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE AUTHORS OR COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR OTHERWISE, ARISING FROM, OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE SOFTWARE.
