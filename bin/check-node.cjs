// Ends the process with one line when its Node is too old. Syntax that every Node can parse: `npm start` loads it first.
"use strict";

var needed = Number(/\d+/.exec(require("../package.json").engines.node)[0]);

if (Number(process.versions.node.split(".")[0]) < needed) {
  console.error("satchel: this is Node " + process.versions.node + "; Satchel needs Node " + needed + " or later");
  process.exit(1);
}
