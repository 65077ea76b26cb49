// The viewer asks for the media type that comes first, and generated clients read it without asking: so it is the text in the
// document, and JSON here.
function jsonFirst(key, value) {
  const json = key === "content" && value?.["application/json"];
  return json ? { "application/json": json, ...value } : value;
}

// Shows the document of the goto that this page comes from. No validator: that is another host.
const ui = SwaggerUIBundle({
  url: "/goto/openapi.json",
  dom_id: "#docs",
  validatorUrl: null,
  deepLinking: true,
  docExpansion: "none",
  filter: true,
  tryItOutEnabled: true,
  displayRequestDuration: true,
  // an answer of goto is small; colouring a large one would stop the page
  syntaxHighlight: { activated: true, theme: "idea" },
  responseInterceptor: (answer) => {
    if (answer.url?.endsWith("/goto/openapi.json")) answer.text = JSON.stringify(JSON.parse(answer.text, jsonFirst));
    return answer;
  },
  // a link to a route opens its chapter; without one the first is open, so that there is something to see
  onComplete: () => {
    if (!location.hash) ui.layoutActions.show(["operations-tag", ui.specSelectors.tags().first().get("name")], true);
  },
});
