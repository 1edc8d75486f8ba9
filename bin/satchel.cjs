#!/usr/bin/env node
// The command of the npm package: see check-node.cjs.
"use strict";

require("./check-node.cjs");
import("../dist/main.js").catch(function (error) {
  console.error(error);
  process.exit(1);
});
