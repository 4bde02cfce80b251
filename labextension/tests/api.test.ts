import { describe, expect, it } from 'vitest';

import { ApiError, makeApi } from '../src/api';
import { document } from './fixtures';

function answering(status: number, body: unknown, asked: string[] = []) {
  return makeApi(async path => {
    asked.push(path);
    return new Response(typeof body === 'string' ? body : JSON.stringify(body), { status });
  });
}

describe('the REST client', () => {
  it('asks for a page by filter and key', async () => {
    const asked: string[] = [];
    await answering(200, { jobs: [], more: false }, asked).page({ state: 'denied', experiment: 'a&b', text: '' }, 'J9', 10);
    expect(asked).toEqual(['jobs?state=denied&experiment=a%26b&text=&before=J9&limit=10']);
  });

  it('keeps message and hint of a refusal', async () => {
    const api = answering(409, { message: 'The job has ended.', hint: 'Nothing to cancel.' });
    await expect(api.cancel('J1')).rejects.toMatchObject({ message: 'The job has ended.', hint: 'Nothing to cancel.', status: 409 });
  });

  it('explains a server without the extension', async () => {
    await expect(answering(404, '<html>').budgets()).rejects.toMatchObject({ hint: expect.stringContaining('server extension list') });
  });

  it('explains a server that is gone', async () => {
    const api = makeApi(() => Promise.reject(new TypeError('Failed to fetch')));
    await expect(api.budgets()).rejects.toBeInstanceOf(ApiError);
  });

  it('tells budgets it cannot read from none', async () => {
    await expect(answering(200, {}).budgets()).rejects.toBeInstanceOf(ApiError);
    await expect(answering(200, { quota: [] }).budgets()).resolves.toEqual([]);
  });

  it('refuses a record it cannot read', async () => {
    await expect(answering(200, { schema: 9 }).job('J1')).rejects.toBeInstanceOf(ApiError);
    await expect(answering(200, document()).job('J1')).resolves.toMatchObject({ name: 'ghz5' });
  });
});
