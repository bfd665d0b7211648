"use strict";
// The description that programs read, for people.

const $ = (id) => document.getElementById(id);

function add(parent, name, text) {
  const made = parent.appendChild(document.createElement(name));
  if (text !== undefined) made.textContent = text;
  return made;
}

function typeOf(schema, schemas) {
  if (!schema) return "";
  if (schema.$ref) return schema.$ref.split("/").pop();
  if (schema.anyOf) return schema.anyOf.map((s) => typeOf(s, schemas)).join(" or ");
  if (schema.type === "array") return `list of ${typeOf(schema.items, schemas) || (schema.prefixItems || []).map((s) => typeOf(s, schemas)).join(" and ")}`;
  if (schema.additionalProperties) return `of each task: ${typeOf(schema.additionalProperties, schemas)}`;
  return schema.enum?.join(" or ") || schema.const || schema.type || "";
}

function table(parent, title, schema, schemas) {
  add(parent, "h2", title);
  if (schema.description) add(parent, "p", schema.description);
  const rows = add(parent, "table");
  for (const [name, of] of Object.entries(schema.properties || {})) {
    const row = add(rows, "tr");
    add(row, "th", name);
    add(row, "td", typeOf(of, schemas));
    add(row, "td", of.description || "");
  }
}

async function start() {
  const api = await (await fetch("openapi.json")).json();
  const schemas = api.components.schemas;
  $("model").textContent = `version ${api.info.version}`;
  $("about").textContent = api.info.description;
  for (const [path, methods] of Object.entries(api.paths)) {
    for (const [method, of] of Object.entries(methods)) {
      add($("paths"), "h2", `${method.toUpperCase()} ${path}`);
      add($("paths"), "p", of.description);
      for (const [status, reply] of Object.entries(of.responses)) {
        add($("paths"), "p", `${status}: ${typeOf(reply.content?.["application/json"].schema, schemas)} ${status === "200" ? "" : reply.description}`);
      }
      const body = of.requestBody?.content["application/json"].schema;
      if (body) table($("paths"), body.title, body, schemas);
    }
  }
  for (const [name, schema] of Object.entries(schemas)) table($("paths"), name, schema, schemas);
}

start();
