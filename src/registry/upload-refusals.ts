/** What can be wrong with the upload that a request names. */
import { Refusal } from './refusal.ts';

export function unknownUpload(): Refusal {
  return new Refusal('UPLOAD_UNKNOWN', 'There is no such upload here; it may have ended or expired. Start a new one');
}

export function busyUpload(): Refusal {
  return new Refusal(
    'UPLOAD_BUSY',
    'Another request is writing to this upload; wait for it to end and ask for the range',
  );
}

export function lostUpload(): Refusal {
  return new Refusal(
    'UPLOAD_LOST',
    'This request was stalled so long that its upload was taken over; ask for the range',
  );
}
