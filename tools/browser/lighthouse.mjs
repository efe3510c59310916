// Measures pages with Lighthouse, in one Chromium. Reads a JSON list from stdin:
//   [{"name", "url", "headers", "skip": [audits], "categories": […], "runs": 1}]
// and prints it with "scores" (0 to 100 by category, the median of the runs) and
// "failed", the audits that cost points. CHROME_PATH names the browser.
import { launch } from "chrome-launcher";
import lighthouse, { defaultConfig } from "lighthouse";

const pages = JSON.parse(await new Promise((resolve) => {
  let text = "";
  process.stdin.setEncoding("utf8").on("data", (part) => (text += part)).on("end", () => resolve(text));
}));

const chrome = await launch({
  logLevel: "silent",
  chromeFlags: ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run", "--disable-background-networking"],
});
try {
  for (const page of pages) await measure(page);
} finally {
  chrome.kill();
}
process.stdout.write(JSON.stringify(pages));

async function measure(page) {
  const flags = {
    port: chrome.port,
    onlyCategories: page.categories,
    skipAudits: page.skip ?? [],
    extraHeaders: page.headers ?? {},
    disableFullPageScreenshot: true,
    logLevel: "silent",
    output: "json",
    maxWaitForLoad: 30000,
    ignoreStatusCode: true, // an error's page is a page too
  };
  const speed = page.categories.includes("performance");
  if (!speed) {
    // Nothing is timed, so nothing is waited for beyond the page itself.
    Object.assign(flags, { pauseAfterFcpMs: 0, pauseAfterLoadMs: 0, networkQuietThresholdMs: 100, cpuQuietThresholdMs: 0, disableStorageReset: true });
  }
  try {
    const runs = [];
    for (let i = 0; i < (page.runs ?? 1); i++) {
      const { lhr } = await lighthouse(page.url, flags, defaultConfig);
      if (lhr.runtimeError) throw new Error(lhr.runtimeError.message);
      runs.push(lhr);
    }
    page.scores = {};
    for (const name of page.categories) {
      const scores = runs.map((r) => r.categories[name].score ?? 0).sort((a, b) => a - b);
      page.scores[name] = Math.round(scores[Math.floor(scores.length / 2)] * 100);
    }
    const lhr = runs[runs.length - 1];
    const counts = new Set(page.categories.flatMap((name) => lhr.categories[name].auditRefs.filter((r) => r.weight > 0 || speed).map((r) => r.id)));
    page.failed = Object.values(lhr.audits)
      .filter((a) => counts.has(a.id) && a.score !== null && a.score < 0.9)
      .map((a) => ({
        ID: a.id,
        Title: a.title + (a.displayValue ? ` (${a.displayValue})` : ""),
        Details: (a.details?.items ?? []).slice(0, 3).map((i) => JSON.stringify(i.node?.snippet ?? i).slice(0, 300)),
      }));
  } catch (error) {
    page.error = String(error.message ?? error);
  }
}
