/** A QR code as it comes from the coordinator. Dark on light in every theme: cameras read nothing else well. */
import type { ReactNode } from "react";
import type { QrCode } from "../api/wire.ts";

/** Cameras find the code by the quiet around it. */
const QUIET = 4;

export function QrPicture({ code, label }: { code: QrCode; label: string }): ReactNode {
  const side = code.size + 2 * QUIET;
  return (
    <svg
      role="img"
      aria-label={label}
      viewBox={`${-QUIET} ${-QUIET} ${side} ${side}`}
      shapeRendering="crispEdges"
      className="h-[200px] w-[200px] shrink-0 self-center rounded border border-line bg-white wide:self-start"
    >
      <path d={code.path} fill="#000" />
    </svg>
  );
}
