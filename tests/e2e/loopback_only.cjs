// Loaded into Node before anything else (node --require): every listener is bound to 127.0.0.1, and every connection and
// look-up beyond this machine is refused. Refusals are counted on stderr without naming what was asked for.
"use strict";

const dgram = require("node:dgram");
const dns = require("node:dns");
const net = require("node:net");

const LOOPBACK = new Set(["127.0.0.1", "::1", "localhost", "::ffff:127.0.0.1"]);

function refused() {
  process.stderr.write("loopback_only: refused\n");
  const error = new Error("only this machine may be reached");
  error.code = "EACCES";
  return error;
}

// -- listeners --------------------------------------------------------------------------------------------------------

const listen = net.Server.prototype.listen;
net.Server.prototype.listen = function (...given) {
  if (given[0] !== null && typeof given[0] === "object") {
    if (given[0].path === undefined && given[0].fd === undefined && given[0]._handle === undefined) {
      given[0] = { ...given[0], host: "127.0.0.1" };
    }
    return listen.apply(this, given);
  }
  if (given[0] === undefined || typeof given[0] === "function" || !Number.isNaN(Number(given[0]))) {
    const port = given[0] === undefined || typeof given[0] === "function" ? 0 : Number(given[0]);
    const callback = given.find((value) => typeof value === "function");
    return listen.call(this, { port, host: "127.0.0.1" }, callback);
  }
  return listen.apply(this, given);
};

const bind = dgram.Socket.prototype.bind;
dgram.Socket.prototype.bind = function (port, ...rest) {
  const callback = rest.find((value) => typeof value === "function");
  const wanted = port !== null && typeof port === "object" ? port : { port };
  return bind.call(this, { ...wanted, address: "127.0.0.1" }, callback);
};
dgram.Socket.prototype.send = function () {
  throw refused();
};
dgram.Socket.prototype.connect = function () {
  throw refused();
};

// -- connections ------------------------------------------------------------------------------------------------------

const connect = net.Socket.prototype.connect;
net.Socket.prototype.connect = function (...given) {
  const first = Array.isArray(given[0]) ? given[0][0] : given[0];
  let host;
  if (first !== null && typeof first === "object") {
    host = first.path === undefined ? (first.host ?? "localhost") : undefined;
  } else if (typeof first === "number" || !Number.isNaN(Number(first))) {
    host = typeof given[1] === "string" ? given[1] : "localhost";
  }
  if (host !== undefined && !LOOPBACK.has(String(host))) {
    process.nextTick(() => this.destroy(refused()));
    return this;
  }
  return connect.apply(this, given);
};

// -- look-ups ---------------------------------------------------------------------------------------------------------

const lookup = dns.lookup;
dns.lookup = function (name, options, callback) {
  if (LOOPBACK.has(String(name))) return lookup.call(dns, name, options, callback);
  process.nextTick(typeof options === "function" ? options : callback, refused());
  return {};
};
const lookupLater = dns.promises.lookup;
dns.promises.lookup = (name, options) =>
  LOOPBACK.has(String(name)) ? lookupLater.call(dns.promises, name, options) : Promise.reject(refused());

for (const holder of [dns, dns.Resolver.prototype]) {
  for (const name of Object.getOwnPropertyNames(holder)) {
    if (/^(resolve|reverse|lookupService)/.test(name) && typeof holder[name] === "function") {
      holder[name] = (...given) => process.nextTick(given[given.length - 1], refused());
    }
  }
}
for (const holder of [dns.promises, dns.promises.Resolver.prototype]) {
  for (const name of Object.getOwnPropertyNames(holder)) {
    if (/^(resolve|reverse|lookupService)/.test(name) && typeof holder[name] === "function") {
      holder[name] = () => Promise.reject(refused());
    }
  }
}
