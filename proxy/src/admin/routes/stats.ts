// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { renderJson, renderText } from "../../stats/render-envoy.ts";
import { prometheusContentType, renderPrometheus } from "../../stats/render-prometheus.ts";
import { SelectionError, selectSamples } from "../../stats/select-samples.ts";
import { type AdminReply, type AdminRequest, type AdminRoute, BadRequest } from "../route.ts";

/** The statistics, in one of three formats. */
export const route: AdminRoute = {
  path: "/stats",
  method: "GET",
  summary: "Statistics; ?usedonly, ?filter=REGEX, ?format=json or prometheus.",
  handle: answer,
};

async function answer({ query, context }: AdminRequest): Promise<AdminReply> {
  const samples = select(query, context.samples());
  switch (query.get("format") ?? "text") {
    case "text":
      return { body: renderText(samples) };
    case "json":
      return { contentType: "application/json", body: renderJson(samples) };
    case "prometheus":
      return { contentType: prometheusContentType, body: await renderPrometheus(samples) };
    default:
      throw new BadRequest("format must be text, json or prometheus");
  }
}

function select(query: URLSearchParams, samples: ReturnType<AdminRequest["context"]["samples"]>) {
  try {
    const filter = query.get("filter") ?? undefined;
    return selectSamples(samples, { usedOnly: query.has("usedonly"), filter });
  } catch (error) {
    if (error instanceof SelectionError) throw new BadRequest(error.message);
    throw error;
  }
}
