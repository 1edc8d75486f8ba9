import { expect, test } from "vitest";
import * as node from "../../clients/typescript/src/index.ts";
import * as web from "../../clients/typescript/src/web.ts";

test("the entry for browsers exports what the one for Node does", () => {
  expect(Object.keys(web).toSorted()).toEqual(Object.keys(node).toSorted());
});
