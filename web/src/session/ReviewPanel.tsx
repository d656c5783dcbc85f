/** What a session changed so far, file by file: beside the transcript where there is room, else a sheet of its own. */
import { useQuery } from "@tanstack/react-query";
import { ChevronRight, X } from "lucide-react";
import { type ReactNode, useState } from "react";
import { ConnectionLine } from "../app/ConnectionLine.tsx";
import { routes } from "../api/routes.ts";
import type { DiffFile, SessionRow } from "../api/wire.ts";
import { Changes } from "../diff/Changes.tsx";
import { Patch } from "../diff/FilePatch.tsx";
import { Moment } from "../ui/Moment.tsx";
import { count } from "../ui/numbers.ts";
import { Problem } from "../ui/Problem.tsx";
import { visible } from "../ui/visible.ts";

interface ReviewPanelProps {
  row: SessionRow;
  beside: boolean;
  onClose: () => void;
}

export function ReviewPanel({ row, beside, onClose }: ReviewPanelProps): ReactNode {
  const diff = useQuery({
    // Asked again when the counts say that something changed; the old is shown meanwhile.
    queryKey: ["diff", row.id, row.added, row.removed],
    queryFn: () => routes.diff(row.id),
    placeholderData: (before) => before,
  });
  const files = diff.data?.files ?? [];
  // A sheet takes the place of the page, so it is one.
  const Sheet = beside ? "aside" : "main";
  const Title = beside ? "h2" : "h1";
  return (
    <Sheet
      aria-label="Changes"
      className={`flex h-full flex-col bg-page ${beside ? "w-[42%] max-w-[720px] shrink-0 border-l border-line" : "w-full"}`}
    >
      <header className="relative flex min-h-[63px] items-center gap-3 border-b border-line px-4 py-2">
        <div className="min-w-0 grow">
          <Title className="text-large font-semibold">Changes</Title>
          <p className="flex gap-3 text-small text-muted">
            {count(files.length, "file")}
            <Changes added={row.added} removed={row.removed} />
            {row.branch ? <span className="truncate font-mono">{row.branch}</span> : null}
          </p>
        </div>
        <button type="button" className="button-quiet" onClick={onClose} title="Close (Esc)">
          <X size={16} aria-hidden />
          Close
        </button>
        {beside ? null : <ConnectionLine />}
      </header>
      <div className="min-h-0 grow overflow-y-auto overscroll-contain p-4">
        {diff.error ? <Problem error={diff.error} retry={() => void diff.refetch()} /> : null}
        {diff.data && files.length === 0 ? <p className="text-muted">No file has been changed yet.</p> : null}
        {files.some(({ patches }) => patches.length > 1) ? (
          <p className="mb-2 text-small text-faint">
            Where a file was changed several times, each change stands by itself, oldest first.
          </p>
        ) : null}
        <div className="grid gap-2">
          {files.map((file) => (
            <FileSection key={file.path} file={file} open={files.length <= 3} />
          ))}
        </div>
      </div>
    </Sheet>
  );
}

function FileSection({ file, open: openAtFirst }: { file: DiffFile; open: boolean }): ReactNode {
  const [open, setOpen] = useState(openAtFirst);
  const several = file.patches.length > 1;
  return (
    <section className="border-b border-line pb-2">
      <button type="button" className="tool-line" aria-expanded={open} onClick={() => setOpen(!open)}>
        <ChevronRight size={14} aria-hidden className={`shrink-0 ${open ? "rotate-90" : ""}`} />
        <span className="min-w-0 grow truncate font-mono text-text">{visible(file.path)}</span>
        <span className="shrink-0 text-muted">{file.change}</span>
        <Changes added={file.added} removed={file.removed} />
      </button>
      {open
        ? file.patches.map((patch) => (
            <div key={patch.seq} className="mt-2">
              {several ? (
                <p className="mb-1 text-small text-faint">
                  <Moment at={patch.at} as="clock" />
                </p>
              ) : null}
              <Patch patch={patch.patch} binary={file.binary} path={file.path} />
            </div>
          ))
        : null}
      {file.truncated ? (
        <p className="mt-1 text-small text-needs">A patch was cut; the file holds the whole.</p>
      ) : null}
    </section>
  );
}
