// Operators are killed and another takes over: the search comes to what an undisturbed one does.
import { test } from "node:test";
import { killsChangeNothing } from "../kills.ts";

test("a few kills at random moments change nothing", (context) => killsChangeNothing(context, 4, 14));
