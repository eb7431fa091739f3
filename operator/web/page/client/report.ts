// A report is this page with its documents in it, as they were when it was written: then nobody is asked.
import type { ReportDocument } from "../documents.ts";

const text = document.getElementById("report")?.textContent;

/** Undefined where the page is served. */
export const report: ReportDocument | undefined = text ? JSON.parse(text) : undefined;
