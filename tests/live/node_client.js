// node_client.js PORT PEER_PORT: node-redis against two regions. Exits 0, or throws.
'use strict';
const assert = require('assert');
const { createClient } = require('redis');

async function main() {
  const [port, peerPort] = process.argv.slice(2).map(Number);
  const client = createClient({ socket: { host: '127.0.0.1', port } });
  const peer = createClient({ socket: { host: '127.0.0.1', port: peerPort } });
  for (const each of [client, peer]) {
    each.on('error', (error) => { throw error; });
    await each.connect();
  }
  assert.strictEqual(await client.ping(), 'PONG');

  const writes = [];
  for (let i = 0; i < 2000; i += 1) writes.push(client.set(`node:${i}`, `value ${i}`));
  assert.ok((await Promise.all(writes)).every((reply) => reply === 'OK'));

  await client.hSet('node:hash', { name: 'José', city: 'Łódź' });
  assert.deepStrictEqual({ ...(await client.hGetAll('node:hash')) }, { name: 'José', city: 'Łódź' });
  assert.deepStrictEqual(await client.multi().incrBy('node:n', 5).get('node:n').exec(), [5, '5']);
  await assert.rejects(client.incr('node:hash'), /WRONGTYPE/);
  await client.set('node:soon', 'gone', { PX: 50 });
  await new Promise((resolve) => setTimeout(resolve, 80));
  assert.strictEqual(await client.get('node:soon'), null);

  let found = 0;
  for await (const key of client.scanIterator({ MATCH: 'node:1*', COUNT: 500 })) found += key ? 1 : 0;
  assert.ok(found >= 1111, `SCAN found ${found}`);

  assert.ok((await client.sendCommand(['WAIT', '1', '10000'])) >= 1);
  assert.strictEqual(await peer.get('node:1999'), 'value 1999');
  await Promise.all([client.quit(), peer.quit()]);
  console.log(`node-redis on ${process.version}: 2,000 writes, hash, MULTI, expiry, SCAN, WAIT 1: all as expected`);
}

main().catch((error) => { console.error(error); process.exit(1); });
