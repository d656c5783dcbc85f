/** One change of one file: header, and lines. */
import type { ReactNode } from "react";
import type { FileChanged } from "../api/wire.ts";
import { visible } from "../ui/visible.ts";
import { Changes } from "./Changes.tsx";
import { DiffLines } from "./DiffLines.tsx";
import { parsePatch } from "./lines.ts";

export function FilePatch({ file }: { file: FileChanged }): ReactNode {
  return (
    <div>
      <p className="mb-1 flex flex-wrap items-baseline gap-x-3 text-small">
        <span className="font-mono [overflow-wrap:anywhere]">
          {file.old_path ? `${visible(file.old_path)} → ` : ""}
          {visible(file.path)}
        </span>
        <span className="text-muted">{file.change}</span>
        <Changes added={file.added} removed={file.removed} />
      </p>
      <Patch patch={file.patch} binary={file.binary} path={file.path} />
      {file.truncated ? (
        <p className="mt-1 text-small text-needs">This patch was cut; the file holds the whole.</p>
      ) : null}
    </div>
  );
}

export function Patch({ patch, binary, path }: { patch: string; binary: boolean; path: string }): ReactNode {
  if (binary) return <p className="text-small text-muted">A binary file; its content is not shown.</p>;
  const lines = parsePatch(patch).map((line) => ({ ...line, text: visible(line.text) }));
  if (lines.length === 0) return <p className="text-small text-muted">No lines changed.</p>;
  return <DiffLines lines={lines} label={`Changes of ${path}`} className="max-h-[70dvh]" />;
}
