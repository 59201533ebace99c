/**
 * Loaded into a hub's processes by the campaign: writes the longest stall of the event loop and the most memory, at the end.
 * Wall time counts what the machine gave to others, too; so what the thread itself computed between two turns is written
 * beside it.
 */
import { writeFileSync } from 'node:fs';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { isMainThread } from 'node:worker_threads';

const folder = process.env.LOOP_REPORT;
if (folder !== undefined && isMainThread) {
  const delay = monitorEventLoopDelay({ resolution: 5 });
  let rss = 0;
  let longest = 0;
  let before = 0;
  const computed = () => {
    const { user, system } = process.threadCpuUsage();
    return (user + system) / 1000;
  };
  const look = () => {
    const now = computed();
    longest = Math.max(longest, now - before);
    before = now;
  };
  // What starting costs is not what is asked.
  setTimeout(() => {
    delay.enable();
    before = computed();
    setInterval(look, 1).unref();
  }, 5_000).unref();
  setInterval(() => (rss = Math.max(rss, process.memoryUsage.rss())), 200).unref();
  process.on('exit', () => {
    const report = { title: process.title, computedMs: longest, wallMs: delay.max / 1e6, rss };
    writeFileSync(`${folder}/${process.pid}.json`, JSON.stringify(report));
  });
}
