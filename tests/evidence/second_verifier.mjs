// A second verifier, made from docs/evidence-format.md and docs/schema.md alone: Node reads what the
// program sqlite3 prints. usage: node second_verifier.mjs ARCHIVE [CHECKPOINT | ROOTS]...
// With ROOTS (PEM) it checks time stamps by openssl. ARCHIVE may be an export with its folder proofs.
// It prints what is wrong, one line each, and ends with 1 where something is.
import { execFileSync, spawnSync } from "node:child_process";
import { createHash, createPublicKey, verify } from "node:crypto";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { inflateSync } from "node:zlib";

const [folder, ...papers] = process.argv.slice(2);
const roots = papers.map((path) => readFileSync(path, "utf8")).filter((text) => text.includes("-----BEGIN CERTIFICATE-----"));
const kept = papers.filter((path) => !readFileSync(path, "utf8").includes("-----BEGIN CERTIFICATE-----"));
const isArchive = existsSync(`${folder}/archive.db`);
const database = isArchive ? `${folder}/archive.db` : `${folder}/proofs/archive.db`;
const wrong = [];
const sha256 = (...parts) => parts.reduce((h, part) => h.update(part), createHash("sha256")).digest();

function ask(sql) {
  const out = execFileSync("sqlite3", ["-readonly", "-bail", "-newline", "\n", database], {
    input: `${sql};\n`,
    maxBuffer: 1 << 30,
  });
  return out.toString("latin1").split("\n").filter(Boolean);
}

// by table: its columns, and those of its primary key
const columnsOf = new Map();
const keysOf = new Map();
for (const line of ask(`SELECT json_array(m.name, p.name, p.pk) FROM sqlite_master m JOIN pragma_table_info(m.name) p
  WHERE m.type = 'table' ORDER BY m.name, p.cid`)) {
  const [table, column, place] = JSON.parse(line);
  columnsOf.set(table, [...(columnsOf.get(table) ?? []), column]);
  if (place) keysOf.set(table, Object.assign(keysOf.get(table) ?? [], { [place - 1]: column }));
}

// rows in the order of their keys: each value as [type, text in hex, or the digits of a number]
const hashed = ask("SELECT name FROM table_checksums ORDER BY name");
function selectRows(table) {
  const value = (c) => `'["' || typeof(${c}) || '","' || CASE typeof(${c}) WHEN 'integer' THEN ${c}
    WHEN 'real' THEN printf('%!.17g', ${c}) ELSE hex(CAST(${c} AS BLOB)) END || '"]'`;
  const order = keysOf.get(table).map((c) => `"${c}"`).join(", ");
  const values = columnsOf.get(table).map((c) => value(`"${c}"`)).join(" || ',' || ");
  return `SELECT '${table}'; SELECT '[' || ${values} || ']' FROM "${table}" ORDER BY ${order}`;
}

const rowsOf = new Map();
let reading;
for (const line of ask(hashed.map(selectRows).join(";\n"))) {
  if (!line.startsWith("[")) {
    rowsOf.set(line, (reading = { name: line, rows: [] }).rows);
    continue;
  }
  const row = {};
  JSON.parse(line).forEach(([type, text], number) => {
    if (type === "null") return;
    row[columnsOf.get(reading.name)[number]] = { type, text, bytes: /^(text|blob)$/.test(type) ? Buffer.from(text, "hex") : null };
  });
  reading.rows.push(row);
}
const rows = (table) => rowsOf.get(table);

const textOf = (cell) => (cell === undefined ? null : cell.bytes ? cell.bytes.toString("utf8") : cell.text);
const isText = (cell) => Buffer.from(cell.bytes.toString("utf8")).equals(cell.bytes);

// Python's repr of a float
function repr(number) {
  const shortest = String(number);
  const [digits, exponent] = number.toExponential().split("e");
  const power = Number(exponent);
  if (number !== 0 && (power < -4 || power >= 16)) {
    return `${digits}e${power < 0 ? "-" : "+"}${String(Math.abs(power)).padStart(2, "0")}`;
  }
  return Number.isInteger(number) ? `${BigInt(number)}.0` : shortest;
}

const ESCAPES = { "\b": "\\b", "\f": "\\f", "\n": "\\n", "\r": "\\r", "\t": "\\t", '"': '\\"', "\\": "\\\\" };
const quoted = (text) =>
  `"${text.replace(/[\u0000-\u001f"\\]/g, (c) => ESCAPES[c] ?? `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`)}"`;

function rowHash(table, row) {
  const columns = { "": quoted(table) };
  for (const [name, cell] of Object.entries(row)) {
    if (name === "row_sha256") continue;
    if (cell.type === "text" && !isText(cell)) return null;
    columns[name] =
      cell.type === "integer" ? cell.text
      : cell.type === "real" ? quoted(repr(Number(cell.text)))
      : quoted(cell.type === "blob" ? cell.bytes.toString("base64") : cell.bytes.toString("utf8"));
  }
  const names = Object.keys(columns).sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
  return sha256(`{${names.map((name) => `${quoted(name)}:${columns[name]}`).join(",")}}`);
}

// signed notes
const keyId = (name, key) => sha256(name, "\n\u0001", key).subarray(0, 4);
const base64 = (text) => {
  const data = Buffer.from(text, "base64");
  return data.toString("base64") === text ? data : null;
};

function isSigned(key, text, signature) {
  const der = Buffer.concat([Buffer.from("302a300506032b6570032100", "hex"), key]);
  const publicKey = createPublicKey({ key: der, format: "der", type: "spki" });
  return verify(null, Buffer.from(text), publicKey, signature);
}

// the text of a note, and for each of its signatures the key of `keys` that made it, or null
function readNote(note, keys) {
  const at = note.lastIndexOf("\n\n");
  if (at < 0) return { text: note, signers: [] };
  const text = note.slice(0, at + 1);
  if (!note.endsWith("\n")) return null;
  const signers = [];
  for (const line of note.slice(at + 2, -1).split("\n")) {
    const [dash, name, encoded, ...more] = line.split(" ");
    const data = base64(encoded ?? "");
    if (dash !== "\u2014" || more.length || data?.length !== 68) return null;
    const made = (key) => keyId(name, key).equals(data.subarray(0, 4)) && isSigned(key, text, data.subarray(4));
    signers.push(keys.find(made) ?? null);
  }
  return { text, signers };
}

const about = rows("about");
const log = `archiver/${textOf(about.find((row) => textOf(row.name) === "archive_id")?.value) ?? "unknown"}`;
const keys = [];
for (const row of rows("signing_keys")) {
  const key = base64(textOf(row.public_key));
  const before = keys.at(-1)?.key;
  const reason = textOf(row.reason);
  const lines = ["key of checkpoints", log, ...["since", "reason", "public_key", "at"].map((c) => textOf(row[c]))];
  const note = key && readNote(textOf(row.note), [before, key].filter(Boolean));
  const expected = reason === "rotated" ? [before, key] : [key];
  const fits = note?.text === `${lines.join("\n")}\n` && note.signers.length === expected.length
    && expected.every((one, number) => one && note.signers[number]?.equals(one));
  if (!fits || (reason === "first") !== !before) wrong.push(`signing_keys ${row.id.text}`);
  if (key) keys.push({ since: Number(row.since.text), key });
}

const lost = rows("restores").map((row) => [Number(row.kept_size.text), Number(row.lost_size.text)]);
const promised = new Map();
// `row` is that of a checkpoint of the archive; one that was kept elsewhere has none
function promise(name, note, row) {
  const count = note.split("\n")[1];
  const size = Number(count);
  const key = keys.findLast((one) => one.since < size)?.key;
  const read = readNote(note, key ? [key] : []);
  const [found, , text, end, ...more] = read?.text.split("\n") ?? [];
  const root = base64(text ?? "");
  if (!read || more.length || end !== "" || !root || String(size) !== count) wrong.push(`${name}: no checkpoint`);
  else if (found !== log) wrong.push(`${name}: of another archive`);
  else if (row && (row.size.text !== count || textOf(row.root) !== root.toString("hex"))) wrong.push(`${name}: columns`);
  else if (read.signers.some((one) => one === null)) wrong.push(`${name}: signed by another key`);
  else if (!row && lost.some(([first, last]) => first < size && size <= last)) return;
  else promised.set(size, [...(promised.get(size) ?? []), { name, root, subtrees: row?.subtrees.bytes }]);
}
for (const row of rows("checkpoints")) promise(`checkpoint ${row.id.text}`, textOf(row.note), row);
for (const path of kept) promise(path, readFileSync(path, "utf8"), null);

// chain, tree and commitments
const parts = new Map();
for (const row of rows("ledger_rows")) {
  parts.set(row.entry_id.text, [...(parts.get(row.entry_id.text) ?? []), row]);
}
const newest = new Map();
const ZEROS = Buffer.alloc(32);
let hidden = 0;
const erased = new Map();
for (const row of rows("erasures") ?? []) {
  for (const [part, items] of JSON.parse(textOf(row.blanked) ?? "[]")) {
    erased.set(part, new Set([...(erased.get(part) ?? []), ...items]));
  }
}

function readPart(part) {
  const table = textOf(part.table_name);
  const change = textOf(part.change);
  let found;
  try {
    found = JSON.parse(inflateSync(part.keys.bytes).toString("utf8"));
  } catch {
    found = [];
  }
  if (found.length !== Number(part.count.text) || part.salts.bytes.length !== 16 * found.length) {
    wrong.push(`entry ${part.entry_id.text}: commitments`);
    return;
  }
  found.forEach((value, number) => {
    const salt = part.salts.bytes.subarray(16 * number, 16 * number + 16);
    const commitment = part.commitments.bytes.subarray(32 * number, 32 * number + 32);
    const before = (part.before?.bytes ?? Buffer.alloc(0)).subarray(32 * number, 32 * number + 32);
    if (value === null) {
      if (!erased.get(Number(part.id.text))?.has(number)) hidden += 1;
      if ([...salt, ...before].some(Boolean)) wrong.push(`entry ${part.entry_id.text}: salt of a hidden row`);
      return;
    }
    const key = `${table} ${JSON.stringify([value].flat())}`;
    if (change !== "added") {
      const earlier = newest.get(key);
      if (!before.equals(ZEROS) && !(earlier && sha256(earlier.salt, before).equals(earlier.commitment))) {
        wrong.push(`${key}: altered before entry ${part.entry_id.text}`);
      }
      if (change === "removed" && !sha256(salt, before).equals(commitment)) wrong.push(`${key}: contradictory`);
    }
    newest.set(key, { change, salt, commitment });
  });
}

let subtrees = [];
let size = 0;
let previous = null;
for (const row of rows("ledger")) {
  if (Number(row.id.text) !== size + 1) {
    wrong.push(`entry ${size + 1}: missing`);
    break;
  }
  let entry = {};
  try {
    entry = JSON.parse(textOf(row.entry));
  } catch {
    wrong.push(`entry ${row.id.text}: unreadable`);
  }
  if ((entry.previous ?? null) !== previous) wrong.push(`entry ${row.id.text}: chain`);
  const own = parts.get(row.id.text) ?? [];
  const found = own.map((part) => [
    textOf(part.table_name), textOf(part.change), Number(part.count.text), sha256(part.commitments.bytes).toString("hex"),
  ]);
  if (JSON.stringify(found) !== JSON.stringify(entry.rows)) wrong.push(`entry ${row.id.text}: rows`);
  own.forEach(readPart);
  let node = sha256("\u0000", row.entry.bytes);
  previous = node.toString("hex");
  for (let bits = size; bits & 1; bits >>= 1) node = sha256("\u0001", subtrees.pop(), node);
  subtrees.push(node);
  size += 1;
  const root = [...subtrees].reverse().reduce((right, left) => sha256("\u0001", left, right));
  for (const said of promised.get(size) ?? []) {
    if (!root.equals(said.root)) wrong.push(`${said.name}: of another ledger`);
    else if (said.subtrees && !said.subtrees.equals(Buffer.concat(subtrees))) wrong.push(`${said.name}: subtrees`);
  }
  promised.delete(size);
}
for (const [entries] of promised) wrong.push(`a checkpoint counts ${entries} entries, there are ${size}`);

// rows
const isExtract = about.some((row) => textOf(row.name) === "extract");
if (hidden && !isExtract) wrong.push(`ledger: ${hidden} commitments are hidden, and this is no extract`);
const outside = new Set(["ledger", "ledger_rows", "checkpoints", ...(isExtract ? ["storage_totals"] : [])]);
for (const table of hashed) {
  const keyColumns = keysOf.get(table);
  const seen = new Set();
  for (const row of rows(table)) {
    const key = `${table} ${JSON.stringify(keyColumns.map((c) => (row[c].type === "integer" ? Number(row[c].text) : textOf(row[c]))))}`;
    seen.add(key);
    const digest = rowHash(table, row);
    const stored = textOf(row.row_sha256);
    if (!digest || digest.toString("hex").slice(0, table === "metrics" ? 12 : 64) !== stored) {
      wrong.push(`${key}: hash`);
    } else if (!outside.has(table) && key !== 'about ["extract"]') {
      const said = newest.get(key);
      if (!said || said.change === "removed" || !sha256(said.salt, digest).equals(said.commitment)) {
        wrong.push(`${key}: not what the ledger says`);
      }
    }
  }
  for (const [key, said] of newest) {
    if (key.startsWith(`${table} `) && said.change !== "removed" && !seen.has(key)) wrong.push(`${key}: missing`);
  }
}

// time stamps, as of the times that they say
function checkStamps(place) {
  const notes = new Map(rows("checkpoints").map((row) => [row.id.text, row.note.bytes]));
  writeFileSync(`${place}/roots`, roots.join("\n"));
  for (const row of rows("time_stamps")) {
    const at = textOf(row.stamped_at);
    writeFileSync(`${place}/note`, notes.get(row.checkpoint_id.text) ?? "");
    writeFileSync(`${place}/token`, row.token.bytes);
    writeFileSync(`${place}/chain`, row.chain.bytes);
    const openssl = (...words) => spawnSync("openssl", ["ts", ...words], { cwd: place, encoding: "utf8" });
    const held = openssl("-verify", "-data", "note", "-in", "token", "-CAfile", "roots", "-untrusted", "chain",
      "-attime", String(Math.floor(Date.parse(at) / 1000)));
    const said = /^Time stamp: (.*)$/m.exec(openssl("-reply", "-in", "token", "-text").stdout ?? "");
    const isThen = said && Math.floor(Date.parse(said[1]) / 1000) === Math.floor(Date.parse(at) / 1000);
    if (held.status !== 0 || !isThen) wrong.push(`time stamp ${row.id.text}: does not hold`);
  }
}
if (roots.length) {
  const place = mkdtempSync(`${tmpdir()}/verify-`);
  try {
    checkStamps(place);
  } finally {
    rmSync(place, { recursive: true });
  }
}

// files
function checkFile(name, digest) {
  try {
    if (sha256(readFileSync(`${folder}/${name}`)).toString("hex") !== digest) wrong.push(`${name}: bytes`);
  } catch {
    wrong.push(`${name}: missing`);
  }
}

function checkManifest() {
  const manifest = "manifest-sha256.txt";
  const listed = new Set([manifest]);
  const known = new Set(rows("media").map((row) => textOf(row.sha256)));
  const lines = existsSync(`${folder}/${manifest}`) ? readFileSync(`${folder}/${manifest}`, "utf8").split("\n") : [];
  if (!lines.length) wrong.push(`${manifest}: missing`);
  for (const line of lines.filter(Boolean)) {
    const [digest, name] = [line.slice(0, 64), line.slice(66)];
    listed.add(name);
    if (name.startsWith("/") || name.split("/").includes("..")) wrong.push(`${name}: outside`);
    else checkFile(name, digest);
    if (/^(media|NATIVES)\//.test(name) && !known.has(digest)) wrong.push(`${name}: no file of the rows`);
  }
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    const name = `${entry.parentPath ?? entry.path}/${entry.name}`.slice(folder.length + 1);
    if (entry.isFile() && !listed.has(name)) wrong.push(`${name}: not listed`);
  }
}

if (isArchive) {
  for (const row of rows("media")) if (!row.lost_at) checkFile(textOf(row.path), textOf(row.sha256));
} else checkManifest();

if (wrong.length) console.log(wrong.join("\n"));
process.exit(wrong.length ? 1 : 0);
