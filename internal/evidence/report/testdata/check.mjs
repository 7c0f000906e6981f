// Opens a page in headless Chromium and says in JSON what was wrong with it.
//
//   node check.mjs PAGE.html OUT      modules of playwright-core and
//                                     @axe-core/playwright under $NODE_MODULES,
//                                     the browser at $CHROMIUM
//
// Beside the finding, OUT gets screen-WIDTH.png of the first screens and page.pdf,
// for those who look.
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";
import path from "node:path";

const [, , file, out] = process.argv;
const require = createRequire(path.join(process.env.NODE_MODULES, "anchor.js"));
const { chromium } = require("playwright-core");
const { AxeBuilder } = require("@axe-core/playwright");

// Widths of a screen and of a telephone.
const widths = [1280, 390];
// Lines of a table are made alike: axe-core, which takes minutes over all, looks at
// so many of each.
const axeLines = 4;

const found = { console: [], failed: [], requests: [], wide: {}, axe: {}, axePasses: 0, millis: {} };
const browser = await chromium.launch({ executablePath: process.env.CHROMIUM, args: ["--no-sandbox"] });
try {
  const context = await browser.newContext({ viewport: { width: widths[0], height: 900 } });
  const page = await context.newPage();
  const url = pathToFileURL(file).href;
  page.setDefaultTimeout(300_000);
  page.on("console", (m) => found.console.push(m.type() + ": " + m.text()));
  page.on("pageerror", (e) => found.console.push("error: " + e.message));
  page.on("requestfailed", (r) => found.failed.push(r.url()));
  page.on("request", (r) => { if (r.url() !== url) found.requests.push(r.url()); });

  let began = Date.now();
  await page.goto(url, { waitUntil: "load" });
  found.millis.load = Date.now() - began;
  for (const width of widths) {
    await page.setViewportSize({ width, height: 900 });
    // Whatever is cut off is looked at too: nothing here may hide what it holds, but
    // what is there for screen readers alone.
    found.wide[width] = await page.evaluate(() => {
      const bad = [];
      const edge = document.documentElement.clientWidth + 1;
      for (const e of document.body.querySelectorAll("*")) {
        const box = e.getBoundingClientRect();
        if (box.right <= edge && box.left >= -1) continue;
        if (getComputedStyle(e.closest("thead, .unseen") ?? e).clipPath !== "none") continue;
        bad.push(e.tagName + "." + e.getAttribute("class") + " " + Math.round(box.left) + ".." + Math.round(box.right));
      }
      if (document.documentElement.scrollWidth > edge) bad.push("page " + document.documentElement.scrollWidth);
      return bad.slice(0, 20);
    });
    await page.screenshot({ path: path.join(out, `screen-${width}.png`) });
  }
  began = Date.now();
  await page.pdf({ path: path.join(out, "page.pdf"), preferCSSPageSize: true });
  found.millis.pdf = Date.now() - began;
  began = Date.now();
  await page.evaluate((most) => {
    for (const e of document.querySelectorAll(`section.sheet tbody > tr:nth-child(n + ${most + 1})`)) e.remove();
  }, axeLines);
  for (const width of widths) {
    await page.setViewportSize({ width, height: 900 });
    const axe = await new AxeBuilder({ page }).analyze();
    found.axePasses += axe.passes.length;
    found.axe[width] = axe.violations.map((v) => v.id + ": " + v.nodes.slice(0, 3).map((n) => n.target.join(" ")).join(", "));
  }
  found.millis.axe = Date.now() - began;
} finally {
  await browser.close();
}
process.stdout.write(JSON.stringify(found) + "\n");
