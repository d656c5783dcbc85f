/** All there is to a tool call: what was asked, who decided, what changed, what came out. */
import type { ReactNode } from "react";
import { Steps } from "../ui/Steps.tsx";
import { absolute } from "../ui/time.ts";
import { visible } from "../ui/visible.ts";
import { FilePatch } from "../diff/FilePatch.tsx";
import { GateBody } from "../gates/GateBody.tsx";
import type { GateProgress, ToolItem } from "./items.ts";
import { Output } from "./Output.tsx";

export function ToolDetail({ item, worktree }: { item: ToolItem; worktree: string | null }): ReactNode {
  const { gate, finished, files } = item;
  return (
    <div className="mb-2 ml-5 grid gap-2 border-l border-line py-1 pl-3">
      {files.length > 0 ? (
        files.map((file, index) => (
          // Changes of one call are listed in their order: an index is a true key here.
          // oxlint-disable-next-line react/no-array-index-key
          <FilePatch key={index} file={file} />
        ))
      ) : (
        <GateBody
          worktree={worktree}
          gate={{
            kind: gate?.opened.kind ?? "tool",
            tool: item.tool,
            input: item.input,
            plan: gate?.opened.plan ?? null,
          }}
        />
      )}
      {gate ? <Decided item={item} gate={gate} /> : null}
      {finished ? <Output result={finished} /> : null}
    </div>
  );
}

function Decided({ item, gate }: { item: ToolItem; gate: GateProgress }): ReactNode {
  const { decided, withdrawn } = gate;
  if (decided) {
    const { verdict, by_name, reason, answers, input } = decided.decision;
    return (
      <div className="text-small text-muted" title={absolute(decided.at)}>
        <Steps
          dotsOnly
          steps={[
            { word: "decided", at: decided.decision.at },
            { word: "delivered", at: decided.at },
            { word: "the agent told", at: item.released?.at ?? null },
            { word: "reported back", at: item.finished?.at ?? null },
          ]}
        />{" "}
        {verdictWords[verdict]} by {by_name}
        {input === undefined ? "" : ", with another input"}
        {reason ? `: “${reason}”` : ""}
        {answers ? `: ${Object.values(answers).flat().map(String).join(", ")}` : ""}
      </div>
    );
  }
  if (withdrawn)
    return (
      <p className="text-small text-muted">No longer asked: {visible(withdrawn.reason)}. Nobody said no.</p>
    );
  return <p className="text-small text-needs">Waits for a decision.</p>;
}

const verdictWords = { allow: "Allowed", deny: "Denied", answer: "Answered" } as const;
