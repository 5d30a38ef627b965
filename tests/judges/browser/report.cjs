// Looks at a report as a reader's browser draws it. Arguments: the file, a folder for pictures.
const { chromium } = require("playwright-core");
const [file, shots] = process.argv.slice(2);
const wrong = [];
const check = (holds, what) => { if (!holds) wrong.push(what); };

const looks = [
  { name: "light", width: 1280, scheme: "light" },
  { name: "dark", width: 1280, scheme: "dark" },
  { name: "narrow", width: 360, scheme: "light" },
  { name: "narrow-dark", width: 360, scheme: "dark" },
];

// Relative luminance and contrast as WCAG 2.1 defines them.
const measure = () => {
  const parse = (text) => (text.match(/[\d.]+/g) || []).map(Number);
  const light = ([r, g, b]) => {
    const part = (c) => ((c /= 255) <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
    return 0.2126 * part(r) + 0.7152 * part(g) + 0.0722 * part(b);
  };
  const behind = (element) => {
    for (let at = element; at; at = at.parentElement) {
      const color = parse(getComputedStyle(at).backgroundColor);
      if (color.length === 3 || color[3] > 0) return color;
    }
    return [255, 255, 255];
  };
  const contrast = (a, b) => { const [x, y] = [light(a), light(b)].sort((p, q) => q - p); return (x + 0.05) / (y + 0.05); };
  const faint = [];
  for (const element of document.querySelectorAll("h1,h2,h3,p,td,th,span")) {
    const own = [...element.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim());
    if (!own) continue;
    const ratio = contrast(parse(getComputedStyle(element).color), behind(element));
    if (ratio < 4.5) faint.push(`${element.textContent.trim().slice(0, 30)}: ${ratio.toFixed(2)}`);
  }
  for (const group of document.querySelectorAll("g.node")) {
    const fill = parse(getComputedStyle(group.querySelector("rect")).fill);
    for (const text of group.querySelectorAll("text")) {
      const ratio = contrast(parse(getComputedStyle(text).fill), fill);
      if (ratio < 4.5) faint.push(`${text.textContent}: ${ratio.toFixed(2)}`);
    }
  }
  // A cell that is squeezed until its words fall to letters.
  const squeezed = [];
  for (const cell of document.querySelectorAll("td, th")) {
    const text = cell.textContent.trim();
    // Heads of stacked tables are for who hears the page.
    if (getComputedStyle(cell.closest("thead") ?? cell).position === "absolute") continue;
    const range = document.createRange();
    range.selectNodeContents(cell);
    const lines = new Set([...range.getClientRects()].map((box) => Math.round(box.top / 8))).size;
    if (text && lines > 2 + text.length / 10) squeezed.push(`${text.slice(0, 24)}: ${lines} lines`);
  }
  const outside = [];
  for (const group of document.querySelectorAll("g.node")) {
    const rect = group.querySelector("rect").getBBox();
    for (const text of group.querySelectorAll("text")) {
      const box = text.getBBox();
      if (box.x < rect.x || box.x + box.width > rect.x + rect.width) outside.push(text.textContent);
    }
  }
  // Texts of a chart stay within its picture and off each other.
  const cut = [];
  for (const svg of document.querySelectorAll(".card svg")) {
    const frame = svg.getBoundingClientRect();
    const boxes = [...svg.querySelectorAll("text")].filter((text) => text.textContent.trim()).map((text) => [text.textContent, text.getBoundingClientRect()]);
    boxes.forEach(([text, box], at) => {
      if (box.left < frame.left - 1 || box.right > frame.right + 1 || box.bottom > frame.bottom + 1 || box.top < frame.top - 1) cut.push(`${text} leaves its chart`);
      for (const [other, its] of boxes.slice(at + 1)) {
        if (box.left < its.right - 1 && its.left < box.right - 1 && box.top < its.bottom - 2 && its.top < box.bottom - 2) cut.push(`${text} lies on ${other}`);
      }
    });
  }
  const wide = [...document.querySelectorAll("main *")].filter((element) => {
    if (element.closest(".scroll") && !element.classList.contains("scroll")) return false;
    const box = element.getBoundingClientRect();
    return box.width > 0 && (box.right > document.documentElement.clientWidth + 1 || box.left < -1);
  }).map((element) => `${element.tagName.toLowerCase()} ${element.className.baseVal ?? element.className}`);
  return {
    overflow: document.documentElement.scrollWidth - document.documentElement.clientWidth, faint, squeezed, outside, cut, wide,
    back: getComputedStyle(document.body).backgroundColor,
  };
};

(async () => {
  const browser = await chromium.launch({ executablePath: process.env.CHROMIUM || "/usr/bin/chromium", args: ["--no-sandbox"] });
  const backs = {};
  for (const look of looks) {
    const context = await browser.newContext({ viewport: { width: look.width, height: 900 }, colorScheme: look.scheme });
    const page = await context.newPage();
    page.on("console", (message) => check(false, `${look.name}: the console says ${message.text()}`));
    page.on("pageerror", (error) => check(false, `${look.name}: ${error}`));
    page.on("request", (request) => check(/^(file|data):/.test(request.url()), `${look.name}: asks for ${request.url()}`));
    await page.goto(`file://${file}`);
    const count = (selector) => page.locator(selector).count();
    const found = await page.evaluate(measure);
    backs[look.name] = found.back;
    check(found.overflow <= 0, `${look.name}: the page is ${found.overflow} px wider than its window`);
    for (const part of ["faint", "squeezed", "outside", "cut", "wide"]) check(found[part].length === 0, `${look.name}: ${part}: ${[...new Set(found[part])].slice(0, 8).join("; ")}`);
    if (look.name === "light") {
      check((await count("g.node")) >= 6, `${await count("g.node")} nodes in the graph`);
      check((await count("path.edge")) >= 6, `${await count("path.edge")} edges in the graph`);
      for (const id of ["graph", "gates", "metrics", "plots", "timings", "nodes", "from"]) check((await count(`h2#${id}`)) === 1, `no section ${id}`);
      check((await count("section[aria-labelledby=gates] .card")) === 2, "not two gates");
      check((await page.locator("section[aria-labelledby=gates] tbody tr").count()) === 4, "not four requirements");
      check(/fail/.test(await page.locator("section[aria-labelledby=gates] .card").filter({ hasText: "quality" }).locator("h3 .tag").first().innerText()), "the gate that fails does not say so");
      check((await count("section[aria-labelledby=metrics] tbody tr")) === 3, "not three metrics");
      check((await count("section[aria-labelledby=metrics] figure svg circle")) >= 8, "metrics are not drawn over the runs");
      check((await count("path.guess")) === 1, "the ROC curve has no diagonal");
      check((await count("table.matrix tbody tr")) === 3, "the confusion matrix has not three rows");
      check((await count("section[aria-labelledby=plots] path.curve")) === 3, "not three curves");
      check((await count("script")) === 0 && (await page.content()).includes("&lt;with&gt;"), "what a user wrote is not text");
      const curve = await page.locator("section[aria-labelledby=plots] path.curve").first().evaluate((path) => path.getTotalLength());
      check(curve > 100, `the first curve is ${curve} long`);
      // Everything that scrolls can be reached by keyboard and has a name.
      for (const region of await page.locator(".scroll").all()) {
        check((await region.getAttribute("tabindex")) === "0" && !!(await region.getAttribute("aria-label")), "a scrolling region has no name");
      }
      check((await page.locator("html").getAttribute("lang")) === "en" && (await count("h1")) === 1, "no language, or not one heading");
    }
    await page.screenshot({ path: `${shots}/${look.name}.png`, fullPage: true });
    await context.close();
  }
  check(backs.light !== backs.dark, "dark is no other than light");
  await browser.close();
  for (const one of wrong) console.log(`report: ${one}`);
  if (wrong.length) process.exit(1);
  console.log(`report: drawn as it should be in ${looks.length} looks`);
})();
