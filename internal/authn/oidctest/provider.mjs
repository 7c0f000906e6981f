// A provider for the tests of credentials: oidc-provider with the clients below,
// on a free port of the loopback interface. It takes one command per line of
// standard input, answers each with one line, and ends with its input.

import { createServer } from 'node:http';
import { createInterface } from 'node:readline';
import { X509Certificate, randomBytes } from 'node:crypto';
import { exportJWK, generateKeyPair } from 'jose';
import { Provider } from 'oidc-provider';

// What the tokens of each client say besides.
const claims = {
  'gw-1': { tenant: 'acme', roles: ['gateway'] },
  'bound-1': { tenant: 'acme', roles: ['gateway'] },
  'stranger-1': { tenant: 'globex', roles: ['gateway'] },
  'staff-1': {
    tenant: 'acme', roles: 'restorer', acr: 'urn:example:silver', amr: ['pwd', 'otp'],
    employee: 'Alice@Example.com', on_call: true,
  },
  'agent-1': {
    tenant: 'acme', roles: ['gateway'],
    act: { sub: 'agent-7', employee: 'ＢＯＢ', act: { sub: 'gw-0' } },
  },
};

// What can be asked for: a token for this service, signed in two ways, one for
// another service, and one that is not a JWT.
const resources = {
  'urn:counterfoil': { audience: 'counterfoil', accessTokenFormat: 'jwt', jwt: { sign: { alg: 'ES256' } } },
  'urn:counterfoil:rsa': { audience: 'counterfoil', accessTokenFormat: 'jwt', jwt: { sign: { alg: 'RS256' } } },
  'urn:billing': { audience: 'billing', accessTokenFormat: 'jwt', jwt: { sign: { alg: 'ES256' } } },
  'urn:counterfoil:opaque': { audience: 'counterfoil', accessTokenFormat: 'opaque' },
};

async function key(alg) {
  const { privateKey } = await generateKeyPair(alg, { extractable: true });
  return { ...(await exportJWK(privateKey)), alg, use: 'sig', kid: randomBytes(9).toString('base64url') };
}

function provider(issuer, keys, secret) {
  return new Provider(issuer, {
    jwks: { keys },
    clients: Object.keys(claims).map((id) => ({
      client_id: id, client_secret: secret, grant_types: ['client_credentials'], redirect_uris: [], response_types: [],
      tls_client_certificate_bound_access_tokens: id === 'bound-1',
    })),
    cookies: { keys: [secret] },
    extraTokenClaims: (_ctx, token) => claims[token.clientId],
    ttl: { ClientCredentials: 600 },
    features: {
      devInteractions: { enabled: false },
      clientCredentials: { enabled: true },
      mTLS: {
        enabled: true,
        certificateBoundAccessTokens: true,
        // Whatever is in front of a provider tells it the certificate like this.
        getCertificate: (ctx) => {
          const der = ctx.get('x-client-certificate');
          return der ? new X509Certificate(Buffer.from(der, 'base64')) : undefined;
        },
      },
      resourceIndicators: {
        enabled: true,
        defaultResource: () => 'urn:counterfoil',
        getResourceServerInfo: (_ctx, resource) => ({ scope: '', ...resources[resource] }),
      },
    },
  });
}

let handle;
let fetches = 0;
const server = createServer((request, response) => {
  if (request.url.startsWith('/jwks')) fetches += 1;
  handle(request, response);
});
const listen = (port) => new Promise((done) => server.listen(port, '127.0.0.1', done));

await listen(0);
const { port } = server.address();
const issuer = `http://127.0.0.1:${port}`;
const secret = randomBytes(24).toString('base64url');
let keys = [await key('ES256'), await key('RS256')];
const serve = () => { handle = provider(issuer, keys, secret).callback(); };
serve();

const commands = {
  // A new key signs from now on, and the one before it is published still.
  introduce: async () => { keys = [await key('ES256'), ...keys]; serve(); return keys[0].kid; },
  // Only the key that signs is published, with that for RSA.
  withdraw: async () => { keys = [keys[0], keys.find((k) => k.alg === 'RS256')]; serve(); return keys[0].kid; },
  down: () => new Promise((done) => { server.close(() => done('down')); server.closeAllConnections(); }),
  up: async () => { await listen(port); return 'up'; },
  fetches: async () => String(fetches),
};

console.log(JSON.stringify({ issuer, secret }));
const lines = createInterface({ input: process.stdin });
lines.on('close', () => process.exit(0));
for await (const line of lines) {
  console.log(await commands[line]());
}
