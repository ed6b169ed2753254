// A developer's own settings must not change what the tests see.
for (const name of Object.keys(process.env)) {
  if (/^(ARTA_(?!TEST_)|https?_proxy$|no_proxy$|NO_COLOR$|FORCE_COLOR$)/i.test(name))
    Reflect.deleteProperty(process.env, name)
}

// Nor must a developer's config.json.
process.env["XDG_CONFIG_HOME"] = "/nonexistent/effect-arta-tests"
