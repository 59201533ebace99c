export interface FakeStore { env: Record<string,string>; stop(): Promise<void> }
export async function s3Settings(): Promise<FakeStore> { throw new Error('later'); }
