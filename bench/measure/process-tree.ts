/**
 * What the processes of a server cost, read from /proc: CPU seconds and memory of a process and all its descendants.
 * A database that a server starts counts as the server's.
 */
import fs from 'node:fs';

/** Linux reports CPU time to user space in hundredths of a second on every architecture that Node supports. */
const TICKS_PER_SECOND = 100;

interface Stat {
  readonly pid: number;
  readonly parent: number;
  /** User and system time, children that were waited for included, so that a process that ends is not lost. */
  readonly cpuSeconds: number;
}

function readStat(pid: number): Stat | undefined {
  let text: string;
  try {
    text = fs.readFileSync(`/proc/${pid}/stat`, 'latin1');
  } catch {
    return undefined;
  }
  // The command name may hold spaces and parentheses: fields are counted from the last one.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  const ticks = Number(fields[11]) + Number(fields[12]) + Number(fields[13]) + Number(fields[14]);
  return { pid, parent: Number(fields[1]), cpuSeconds: ticks / TICKS_PER_SECOND };
}

/** The given processes and all their descendants. */
export function processTree(roots: readonly number[]): readonly Stat[] {
  const children = new Map<number, Stat[]>();
  const all = new Map<number, Stat>();
  for (const name of fs.readdirSync('/proc')) {
    const pid = Number(name);
    const stat = Number.isInteger(pid) ? readStat(pid) : undefined;
    if (stat === undefined) continue;
    all.set(pid, stat);
    const siblings = children.get(stat.parent);
    if (siblings === undefined) children.set(stat.parent, [stat]);
    else siblings.push(stat);
  }
  const found = new Map<number, Stat>();
  const queue = roots.map((pid) => all.get(pid)).filter((stat) => stat !== undefined);
  for (let stat = queue.pop(); stat !== undefined; stat = queue.pop()) {
    if (found.has(stat.pid)) continue;
    found.set(stat.pid, stat);
    queue.push(...(children.get(stat.pid) ?? []));
  }
  return [...found.values()];
}

/** CPU seconds that the tree has used since it started. */
export function cpuSeconds(roots: readonly number[]): number {
  return processTree(roots).reduce((sum, stat) => sum + stat.cpuSeconds, 0);
}

/**
 * Proportional set size of the tree in bytes. Pages that several processes map (the node binary, Postgres' shared
 * buffers, pages shared since fork) are divided among them, so that the sum counts each page once.
 */
export function proportionalSetSize(roots: readonly number[]): number {
  let kib = 0;
  for (const { pid } of processTree(roots)) kib += kibOf(`/proc/${pid}/smaps_rollup`, 'Pss');
  return kib * 1024;
}

/** The largest resident size that one process ever had, in bytes. */
export function highWaterMark(pid: number): number {
  return kibOf(`/proc/${pid}/status`, 'VmHWM') * 1024;
}

function kibOf(file: string, field: string): number {
  let text: string;
  try {
    text = fs.readFileSync(file, 'latin1');
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === 'ENOENT' || code === 'ESRCH') return 0;
    throw new Error(`Memory of the server cannot be read (${file}: ${code}); run as its user or as root`, {
      cause: error,
    });
  }
  return Number(new RegExp(`^${field}:\\s+(\\d+) kB`, 'm').exec(text)?.[1] ?? 0);
}
