// Shows the document of the goto that this page comes from. No validator: that is another host.
SwaggerUIBundle({
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
});
