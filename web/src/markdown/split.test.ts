import { Lexer } from "marked";
import { describe, expect, it, vi } from "vitest";
import { Splitter } from "./split.ts";

const documents: Record<string, string> = {
  "prose and headings": "# One\n\nText *with* `code`.\nMore text\nSetext\n---\n\nThen **bold\n\n## Two\nend",
  "loose and nested lists": "- a\n\n- b\n  - c\n\n    still c\n\n1. x\n2. y\n\n   para in y\n\nafter",
  "a fence with blank lines":
    "before\n```ts\nconst a = 1;\n\n\nconst b = `x`;\n```\nafter\n\n~~~\nraw ``` inside\n~~~\n",
  "a fence inside a list": "- item\n  ```sh\n  ls -la\n\n  pwd\n  ```\n- next\n\ndone",
  "an unclosed fence": "text\n\n````md\n```\ninner\n```\nstill inside",
  "a table": "intro\n\n| a | b |\n|---|:-:|\n| 1 | `x|y` |\n| 3 | 4 |\n\nafter",
  quotes: "> one\n> two\nlazy\n\n> three\n>\n> - x\n\nend",
  "raw html": "<div>\n<b>x</b>\n\n</div>\n\n<!-- a\n\ncomment -->\n\n<pre>\n\na\n</pre>\n\ntext",
  "indented code": "para\n\n    code\n\n    more\n\ntext\n\n\tTab\n",
  "windows line ends": "# a\r\n\r\nb\r\nc\r\n\r\n```\r\nx\r\n```\r\n",
  definitions: "[a]: https://example.org\n\nsee [a] and\n\n[b]: https://example.net 'T'\n\n[b]",
  "rules and stars": "a\n\n***\n\n- - -\n\n--- \n* x\n+ y\n\n* * *",
  "a list that ends in prose": "1. one\n2. two\n\nplain\n- tight\n\n\n\n# h\n#no\n",
};

describe("splitting markdown", () => {
  for (const [name, text] of Object.entries(documents)) {
    it(`cuts ${name} as a whole parse does, in pieces of any size`, () => {
      const whole = new Lexer().lex(text).map((token) => [token.type, token.raw]);
      for (let size = 1; size <= text.length; size += 1) {
        const splitter = new Splitter();
        for (let at = size; at - size < text.length; at += size) splitter.update(text.slice(0, at));
        const cut = splitter.update(text).map((block) => [block.token.type, block.token.raw]);
        expect(cut, `pieces of ${size}`).toEqual(whole);
      }
    });
  }

  it("keeps the identity of settled blocks while the tail grows", () => {
    const splitter = new Splitter();
    const first = splitter.update("# Title\n\nFirst paragraph.\n\nSecond one\n");
    const second = splitter.update("# Title\n\nFirst paragraph.\n\nSecond one\ngrows");
    expect(second[0]).toBe(first[0]);
    expect(second[1]).toBe(first[1]);
  });

  it("starts again when the text was replaced", () => {
    const splitter = new Splitter();
    splitter.update("one\n\ntwo\n");
    expect(splitter.update("other").map((block) => block.token.raw)).toEqual(["other"]);
  });

  it("reads a long open fence without parsing it again", () => {
    const splitter = new Splitter();
    let text = "```\n";
    const lex = vi.spyOn(Lexer.prototype, "lex");
    for (let line = 0; line < 400; line += 1) {
      text += "some code that goes on and on and on\n";
      splitter.update(text);
    }
    expect(lex).not.toHaveBeenCalled();
    splitter.update("text");
    expect(lex, "what is no fence is parsed").toHaveBeenCalled();
    lex.mockRestore();
    expect(splitter.update(text)).toHaveLength(1);
  });

  it("shows hostile nesting as it was written instead of overflowing", () => {
    const nested = `${">".repeat(20_000)} x`;
    expect(
      new Splitter()
        .update(nested)
        .map((block) => block.token.raw)
        .join(""),
    ).toBe(nested);
  });

  it("shows an endless paragraph as plain text", () => {
    const endless = "[a](b ".repeat(20_000);
    const blocks = new Splitter().update(endless);
    expect(blocks).toHaveLength(1);
    expect(blocks[0]?.token.type).toBe("text");
  });
});
