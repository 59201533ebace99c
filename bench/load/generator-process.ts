/** The bench's handle on its load generator. */
import { fork, type ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Command, Reply, RoundResult, Scale, Target } from './protocol.ts';

export class GeneratorProcess {
  readonly #child: ChildProcess;

  constructor() {
    this.#child = fork(fileURLToPath(new URL('generator.ts', import.meta.url)), [], {
      execArgv: ['--max-semi-space-size=64'],
    });
  }

  async seed(target: Target, scale: Scale): Promise<void> {
    await this.#ask({ kind: 'seed', target, scale });
  }

  async round(target: Target, scale: Scale, workload: string): Promise<RoundResult> {
    const result = await this.#ask({ kind: 'round', target, scale, workload });
    return result!;
  }

  stop(): void {
    this.#child.kill();
  }

  #ask(command: Command): Promise<RoundResult | undefined> {
    return new Promise((resolve, reject) => {
      const gone = (): void => reject(new Error('The load generator ended'));
      this.#child.once('exit', gone);
      this.#child.once('message', (reply: Reply) => {
        this.#child.off('exit', gone);
        if (reply.ok) resolve(reply.result);
        else reject(new Error(`${command.target.name}: ${reply.error}`));
      });
      this.#child.send(command);
    });
  }
}
