// Two real PDSes and a PLC directory on loopback, for tests/plugins/bluesky. Prints one line of JSON
// with their addresses, and then answers commands: POST /NAME with a JSON object, on `control`.
// It ends when its standard input is closed.

import http from 'node:http'
import net from 'node:net'
import { randomBytes } from 'node:crypto'
import { writeFile } from 'node:fs/promises'

// every server in this process listens on loopback only
const listen = net.Server.prototype.listen
net.Server.prototype.listen = function (port, ...rest) {
  const options = typeof port === 'object' ? { ...port, host: '127.0.0.1' } : null
  const done = rest.filter((item) => typeof item === 'function')
  return options ? listen.call(this, options, ...done) : listen.call(this, port, '127.0.0.1', ...done)
}

const { TestPlc, TestPds } = await import('@atproto/dev-env')
const { Client } = await import('@did-plc/lib')
const { Secp256k1Keypair, P256Keypair } = await import('@atproto/crypto')
const { AtpAgent } = await import('@atproto/api')
const { cborEncode, cidForCbor } = await import('@atproto/common')
const { MST, MemoryBlockstore } = await import('@atproto/repo')

const plc = await TestPlc.create({})
const servers = [await TestPds.create({ didPlcUrl: plc.url }), await TestPds.create({ didPlcUrl: plc.url })]
const directory = new Client(plc.url)
const password = 'correct horse'

async function agent(index, did) {
  const found = new AtpAgent({ service: servers[index].url })
  await found.login({ identifier: did, password })
  return found
}

const commands = {
  // a new account, and a token to write with
  async account({ server, handle }) {
    const made = new AtpAgent({ service: servers[server].url })
    const email = `${randomBytes(6).toString('hex')}@mail.test`
    const { data } = await made.createAccount({ handle, email, password })
    return { did: data.did, token: data.accessJwt }
  },

  // another signing key: in the directory, and where `server` says so on the account's server too
  async rotate({ did, server, curve }) {
    const made = curve === 'p256' ? P256Keypair : Secp256k1Keypair
    const key = await made.create({ exportable: true })
    const at = servers[server]
    await directory.updateAtprotoKey(did, at.ctx.plcRotationKey, key.did())
    if (curve === 'k256') {
      const { keyLocation } = await at.ctx.actorStore.getLocation(did)
      await writeFile(keyLocation, await key.export())
    }
    return { key: key.did() }
  },

  // a signing key on the account's server that the directory does not know
  async forge({ did, server }) {
    const key = await Secp256k1Keypair.create({ exportable: true })
    const { keyLocation } = await servers[server].ctx.actorStore.getLocation(did)
    await writeFile(keyLocation, await key.export())
    return {}
  },

  // another address of the account's server, in the directory
  async point({ did, server, url }) {
    await directory.updatePds(did, servers[server].ctx.plcRotationKey, url)
    return {}
  },

  async deactivate({ did, server }) {
    const found = await agent(server, did)
    await found.com.atproto.server.deactivateAccount({})
    return {}
  },

  async activate({ did, server }) {
    const found = await agent(server, did)
    await found.com.atproto.server.activateAccount()
    return {}
  },

  // from the first server to the second one, as https://atproto.com/guides/account-migration says
  async migrate({ did, handle }) {
    const from = await agent(0, did)
    const target = servers[1]
    const auth = await from.com.atproto.server.getServiceAuth({
      aud: target.ctx.cfg.service.did,
      lxm: 'com.atproto.server.createAccount',
    })
    const to = new AtpAgent({ service: target.url })
    await to.com.atproto.server.createAccount(
      { handle, email: `${randomBytes(6).toString('hex')}@mail.test`, password, did },
      { headers: { authorization: `Bearer ${auth.data.token}` }, encoding: 'application/json' },
    )
    await to.login({ identifier: did, password })
    const repo = await from.com.atproto.sync.getRepo({ did })
    await to.com.atproto.repo.importRepo(repo.data, { encoding: 'application/vnd.ipld.car' })
    const { data: missing } = await to.com.atproto.repo.listMissingBlobs()
    for (const { cid } of missing.blobs) {
      const blob = await from.com.atproto.sync.getBlob({ did, cid })
      await to.com.atproto.repo.uploadBlob(blob.data, { encoding: blob.headers['content-type'] })
    }
    const wanted = await to.com.atproto.identity.getRecommendedDidCredentials()
    const token = await servers[0].ctx.accountManager.createEmailToken(did, 'plc_operation')
    const signed = await from.com.atproto.identity.signPlcOperation({ token, ...wanted.data })
    await to.com.atproto.identity.submitPlcOperation({ operation: signed.data.operation })
    await to.com.atproto.server.activateAccount()
    await from.com.atproto.server.deactivateAccount({})
    return { token: to.session.accessJwt }
  },

  // what the reference implementation makes of a value, of a tree, and of a signature
  async encode({ values }) {
    return {
      blocks: await Promise.all(
        values.map(async (value) => ({
          block: Buffer.from(cborEncode(value)).toString('base64'),
          cid: (await cidForCbor(value)).toString(),
        })),
      ),
    }
  },

  async tree({ keys }) {
    let tree = await MST.create(new MemoryBlockstore(), [])
    for (const key of keys) tree = await tree.add(key, await cidForCbor({ key }))
    return { root: (await tree.getPointer()).toString() }
  },

  async sign({ curve, message }) {
    const key = await (curve === 'p256' ? P256Keypair : Secp256k1Keypair).create()
    const signature = await key.sign(Buffer.from(message, 'base64'))
    return { key: key.did(), signature: Buffer.from(signature).toString('base64') }
  },
}

const control = http.createServer(async (request, response) => {
  const pieces = []
  for await (const piece of request) pieces.push(piece)
  try {
    const command = commands[request.url.slice(1)]
    const answer = await command(JSON.parse(Buffer.concat(pieces).toString()))
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(answer))
  } catch (error) {
    response.writeHead(500).end(String(error?.stack ?? error))
  }
})
await new Promise((done) => control.listen(0, done))

process.stdout.write(
  `${JSON.stringify({
    plc: plc.url,
    servers: servers.map((server) => server.url),
    control: `http://127.0.0.1:${control.address().port}`,
  })}\n`,
)
process.stdin.resume()
process.stdin.on('close', () => process.exit(0))
