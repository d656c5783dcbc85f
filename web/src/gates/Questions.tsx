/** Questions of an agent: one or several answers each, or words of one's own. Owns the answers until they are sent. */
import type { ReactNode } from "react";
import type { Choice, JsonValue } from "../api/wire.ts";

/** Of each question, by its text: the labels chosen, and the free words. */
export type Answers = Readonly<
  Record<string, { readonly labels: readonly string[]; readonly words: string }>
>;

interface QuestionsProps {
  id: string;
  questions: readonly Choice[];
  /** The card's own title is the question already. */
  titled: boolean;
  answers: Answers;
  disabled: boolean;
  onChange: (answers: Answers) => void;
}

export function Questions({ id, questions, titled, answers, disabled, onChange }: QuestionsProps): ReactNode {
  return questions.map((choice, index) => {
    const { labels, words } = answers[choice.question] ?? nothing;
    const change = (next: Partial<Answers[string]>): void =>
      onChange({ ...answers, [choice.question]: { labels, words, ...next } });
    return (
      <fieldset key={choice.question} disabled={disabled} className="min-w-0">
        <legend className={titled ? "sr-only" : "mb-2 font-medium"}>
          {choice.question}
          {choice.several ? <span className="font-normal text-muted"> (several are possible)</span> : null}
        </legend>
        <div className="grid gap-2 wide:gap-1.5">
          {choice.options.map((option) => (
            <label
              key={option.label}
              className="flex min-h-11 cursor-pointer items-center gap-3 rounded border border-line bg-raised px-3 py-2 hover:bg-hover has-checked:border-accent has-checked:bg-accent-soft wide:min-h-9 wide:py-1.5"
            >
              <input
                type={choice.several ? "checkbox" : "radio"}
                name={`${id}-${index}`}
                checked={labels.includes(option.label)}
                onChange={() =>
                  change({
                    labels: toggled(labels, option.label, choice.several),
                    words: choice.several ? words : "",
                  })
                }
                className="size-4 shrink-0 accent-accent-fill"
              />
              <span className="min-w-0">
                {option.label}
                {option.description ? (
                  <span className="block text-small text-muted wide:ml-2 wide:inline">
                    {option.description}
                  </span>
                ) : null}
              </span>
            </label>
          ))}
          <input
            className="field"
            value={words}
            aria-label={`Another answer to: ${choice.question}`}
            placeholder="Another answer"
            onChange={({ target }) => change({ words: target.value, labels: choice.several ? labels : [] })}
          />
        </div>
      </fieldset>
    );
  });
}

/** As the coordinator takes them, or null while a question is open. */
export function finished(questions: readonly Choice[], answers: Answers): Record<string, JsonValue> | null {
  const entries: [string, JsonValue][] = [];
  for (const { question, several } of questions) {
    const { labels, words } = answers[question] ?? nothing;
    const all = words.trim() === "" ? [...labels] : [...labels, words.trim()];
    const [first] = all;
    if (first === undefined) return null;
    entries.push([question, several ? all : first]);
  }
  return Object.fromEntries(entries);
}

const nothing: Answers[string] = { labels: [], words: "" };

function toggled(labels: readonly string[], label: string, several: boolean): readonly string[] {
  if (!several) return [label];
  return labels.includes(label) ? labels.filter((known) => known !== label) : [...labels, label];
}
