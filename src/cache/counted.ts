/**
 * Caches that forget what was used longest ago when they hold a number of entries. lru-cache's own `max` reserves room for all
 * of them at once, 40 bytes each and in every worker; one whose limit is a size grows with what it holds.
 */
import { LRUCache } from 'lru-cache';

export function counted<K extends {}, V extends {}>(most: number, options: { ttl?: number } = {}): LRUCache<K, V> {
  return new LRUCache<K, V>({ ...options, maxSize: most, sizeCalculation: () => 1 });
}
