/**
 * Room for an upload, taken before its bytes. What is declared is taken at once, so that what does not fit is refused before a
 * byte of it; a stream takes as it comes, in steps where there is plenty of room. The reservation is a column of the upload's
 * row: it ends with the row, in the transaction in which the blob begins to count. Only projects with a limit ask for any of it.
 */
import { digestToBytes, type Digest } from '../../blobs/digest.ts';
import { withOrigin } from '../../jobs/origin.ts';
import { updateReservation, type Reserve } from '../queries/usage.ts';
import { Refusal } from '../refusal.ts';
import type { Registry } from '../registry.ts';
import type { Repository } from '../repositories.ts';
import { lostUpload } from '../upload-refusals.ts';

export interface UploadInProject {
  readonly repository: Repository;
  readonly uploadId: string;
  readonly writer: string;
  /** Bytes that came in earlier requests. */
  readonly size: number;
  /** What the bytes have to be, when the sender has said so already. */
  readonly digest: Digest | undefined;
}

/** Makes room for this many bytes of the request; undefined when there is room already. */
export type Room = (bytes: number) => Promise<void> | undefined;

/**
 * @param declared bytes that the request will bring, if it says so
 * @returns undefined when nothing more has to be asked while the bytes come
 * @throws {Refusal} QUOTA_EXCEEDED, UPLOAD_LOST
 */
export async function openRoom(
  registry: Registry,
  upload: UploadInProject,
  declared: number | undefined,
): Promise<Room | undefined> {
  const { repository, size } = upload;
  if (!repository.limited) return undefined;
  if (declared !== undefined) {
    await reserve(registry, upload, size + declared, false);
    return undefined;
  }
  let reserved = size;
  return (bytes) => (size + bytes <= reserved ? undefined : more(size + bytes));

  async function more(total: number): Promise<void> {
    reserved = (await ahead(registry, upload, total)) ?? (await reserve(registry, upload, total, false));
  }
}

/** Undefined when there is not as much room as a step; there may be for what is needed now. */
async function ahead(registry: Registry, upload: UploadInProject, total: number): Promise<number | undefined> {
  let reserved: number | undefined;
  // A step too far is nobody's denial: an origin of its own keeps it out of the audit trail.
  await withOrigin(
    () => ({}),
    async () => {
      try {
        reserved = await reserve(registry, upload, total, true);
      } catch (error) {
        if (!(error instanceof Refusal && error.code === 'QUOTA_EXCEEDED')) throw error;
      }
    },
  );
  return reserved;
}

async function reserve(registry: Registry, upload: UploadInProject, total: number, farther: boolean): Promise<number> {
  const { repository, uploadId, writer, digest } = upload;
  const wanted: Reserve = {
    uploadId,
    writer,
    projectId: repository.projectId,
    total,
    ahead: farther,
    digest: digest ? digestToBytes(digest) : null,
  };
  const row = await updateReservation(registry.db, wanted);
  if (row === undefined) throw lostUpload();
  return row.known ? Infinity : row.reserved;
}
