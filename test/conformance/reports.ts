import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parse } from 'yaml';

export interface Tally {
  passed: number;
  failed: number;
  skipped: number;
  disabled: number;
  /** What did not pass, by the suite's own name for it. */
  complaints: string[];
}

/** Reads the JUnit file that both suites write, and the table of capabilities that only the rewritten one does. */
export async function readTally(reports: string): Promise<Tally> {
  const junit = await readFile(join(reports, 'junit.xml'), 'utf8');
  const count = (attribute: string) => Number(suiteAttribute(junit, attribute) ?? 0);
  const [failed, skipped, disabled] = [count('failures') + count('errors'), count('skipped'), count('disabled')];
  const passed = count('tests') - failed - skipped - disabled;
  const complaints = [...failedCases(junit), ...(await unmetCapabilities(reports))];
  return { passed, failed, skipped, disabled, complaints };
}

function suiteAttribute(junit: string, attribute: string): string | undefined {
  const suite = /<testsuite\s[^>]*>/.exec(junit)?.[0] ?? '';
  return new RegExp(`\\s${attribute}="(\\d+)"`).exec(suite)?.[1];
}

function failedCases(junit: string): string[] {
  const cases = junit.match(/<testcase\s[^>]*>/g) ?? [];
  return cases
    .filter((tag) => /\sstatus="(failed|failure|error|panicked|timedout)"/.test(tag))
    .map((tag) => `failed: ${/\sname="([^"]*)"/.exec(tag)?.[1] ?? tag}`);
}

async function unmetCapabilities(reports: string): Promise<string[]> {
  const text = await readFile(join(reports, 'results.yaml'), 'utf8').catch(() => '');
  const results = parse(text) as { apis: Record<string, string>; data: Record<string, string> } | null;
  return Object.entries({ ...results?.apis, ...results?.data })
    .filter(([, status]) => status !== 'Pass')
    .map(([capability, status]) => `${status.toLowerCase()}: ${capability}`);
}
