/** An archive that is no chart, in helm's words where helm has some: people search for those. */

export class ChartRefused extends Error {
  override readonly name = 'ChartRefused';
}
