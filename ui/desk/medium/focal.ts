// The point of a picture that no cut may lose: chosen by a click, by dragging
// the mark, or by the arrow keys. The two number fields say the same, and are
// what is sent.

export function focal(root: ParentNode): void {
  const box = root.querySelector<HTMLElement>("[data-focal]");
  const x = root.querySelector<HTMLInputElement>("#focal_x");
  const y = root.querySelector<HTMLInputElement>("#focal_y");
  const picture = box?.querySelector("img");
  if (!box || !x || !y || !picture) return;
  const mark = document.createElement("button");
  mark.type = "button";
  mark.className = "focal-mark";
  const within = (v: number) => Math.round(Math.min(100, Math.max(0, v)));
  const show = () => {
    mark.style.left = `${within(x.valueAsNumber || 0)}%`;
    mark.style.top = `${within(y.valueAsNumber || 0)}%`;
    mark.setAttribute("aria-label", `${box.dataset.focalName}: ${x.value} %, ${y.value} %`);
  };
  const put = (nx: number, ny: number) => {
    x.value = String(within(nx));
    y.value = String(within(ny));
    show();
  };
  const at = (e: PointerEvent | MouseEvent) => {
    const r = picture.getBoundingClientRect();
    put(((e.clientX - r.left) / r.width) * 100, ((e.clientY - r.top) / r.height) * 100);
  };
  picture.addEventListener("click", at);
  mark.addEventListener("pointerdown", (e) => mark.setPointerCapture(e.pointerId));
  mark.addEventListener("pointermove", (e) => mark.hasPointerCapture(e.pointerId) && at(e));
  mark.addEventListener("keydown", (e) => {
    const step = e.shiftKey ? 10 : 1;
    const by: Record<string, [number, number]> = { ArrowLeft: [-step, 0], ArrowRight: [step, 0], ArrowUp: [0, -step], ArrowDown: [0, step] };
    const move = by[e.key];
    if (!move) return;
    e.preventDefault();
    put(x.valueAsNumber + move[0], y.valueAsNumber + move[1]);
  });
  for (const field of [x, y]) field.addEventListener("input", show);
  box.append(mark);
  show();
}
