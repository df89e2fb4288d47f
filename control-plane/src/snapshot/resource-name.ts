// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

const SCHEME = "xdstp://";
// What must stay percent-encoded so that the parts of a name can be told apart.
const IN_PATH = /[%:?#[\]]/g;
const IN_PARAMETER = /[%#[\]&=]/g;

/**
 * The one spelling of a resource's name. Names of the form `xdstp://authority/type/id?key=value` are equal when their
 * parts are, in whatever order the context parameters stand and however they are percent-encoded
 * (xds/core/v3/resource_name.proto, resource_locator.proto); other names are opaque.
 */
export function canonicalName(name: string): string {
  if (!name.startsWith(SCHEME)) return name;
  const [beforeDirectives = ""] = name.split("#", 1);
  const question = beforeDirectives.indexOf("?");
  const path = question < 0 ? beforeDirectives : beforeDirectives.slice(0, question);
  const canonicalPath = path.slice(SCHEME.length).split("/").map(recode(IN_PATH)).join("/");
  const parameters = question < 0 ? "" : canonicalParameters(beforeDirectives.slice(question + 1));
  return `${SCHEME}${canonicalPath}${parameters === "" ? "" : `?${parameters}`}`;
}

/** Whether a canonical name means all resources of one folder: `xdstp://authority/type/folder/*`. */
export function isGlob(name: string): boolean {
  return name.startsWith(SCHEME) && idOf(name).endsWith("/*");
}

/** The glob that a resource with this canonical name belongs to; the name itself where there is none. */
export function globOf(name: string): string {
  if (!name.startsWith(SCHEME)) return name;
  const id = idOf(name);
  return `${id.slice(0, id.lastIndexOf("/"))}/*${name.slice(id.length)}`;
}

function idOf(name: string): string {
  const question = name.indexOf("?");
  return question < 0 ? name : name.slice(0, question);
}

function canonicalParameters(text: string): string {
  const recodeBoth = recode(IN_PARAMETER);
  return text
    .split("&")
    .filter((pair) => pair !== "")
    .map((pair) => pair.split("=", 2).map(recodeBoth).join("="))
    .sort()
    .join("&");
}

function recode(reserved: RegExp): (part: string) => string {
  const encode = (character: string): string =>
    `%${character.charCodeAt(0).toString(16).toUpperCase().padStart(2, "0")}`;
  return (part) => decode(part).replace(reserved, encode);
}

// A stray percent sign stands for itself.
function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
