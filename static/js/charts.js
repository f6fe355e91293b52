// Draws the figures a page carries. Figures name colours by role ("role:series-1"); the roles are
// resolved here, so that a change of theme redraws without asking the server. A figure is painted
// at once (paint.js); Plotly is asked for when somebody points at one, or it cannot be painted.
"use strict";

(() => {
  const TICK_WIDTH = 76;
  const POINTED_AT = ["pointerenter", "pointerdown", "focusin"];
  const plotly = document.currentScript.dataset.plotly;
  let asked = false;

  const askForPlotly = () => {
    if (asked) return;
    asked = true;
    const script = document.createElement("script");
    script.src = plotly;
    script.addEventListener("load", drawAll);
    // Painted it stays; the next pointer asks again.
    script.addEventListener("error", () => (asked = false));
    document.head.append(script);
  };

  // A custom property holds both themes' colours; only a computed colour is a single one.
  const colour = (role) => {
    const probe = document.createElement("span");
    probe.style.color = `var(--${role})`;
    document.body.append(probe);
    const value = getComputedStyle(probe).color;
    probe.remove();
    return value;
  };

  // Only what stands for a colour is a role: names and values come from outside.
  const resolved = (value, colours, key = "") => {
    if (typeof value === "string" && key.endsWith("color") && value.startsWith("role:")) {
      const role = value.slice("role:".length);
      return (colours[role] ??= colour(role));
    }
    if (Array.isArray(value)) return value.map((item) => resolved(item, colours, key));
    if (value === null || typeof value !== "object") return value;
    return Object.fromEntries(
      Object.entries(value).map(([key, item]) => [key, resolved(item, colours, key)])
    );
  };

  // Only as many tick labels as fit beside each other.
  const thinned = (axis, width) => {
    const step = Math.ceil((axis.tickvals.length * TICK_WIDTH) / Math.max(width, TICK_WIDTH));
    const kept = (_, index) => index % step === 0;
    return {
      ...axis,
      tickvals: axis.tickvals.filter(kept),
      ticktext: axis.ticktext.filter(kept),
    };
  };

  // What has no width yet is drawn once it has one.
  const unseen = new ResizeObserver((entries) =>
    entries.filter(({ target }) => target.clientWidth > 0).forEach(({ target }) => {
      unseen.unobserve(target);
      draw(target);
    })
  );

  const draw = (holder) => {
    if (holder.clientWidth === 0) {
      unseen.observe(holder);
      return;
    }
    const source = document.getElementById(holder.dataset.chart).textContent;
    const { data, layout } = resolved(JSON.parse(source), {});
    const { l, r } = layout.margin;
    layout.xaxis = thinned(layout.xaxis, holder.clientWidth - l - r);
    layout.font.family = getComputedStyle(holder).fontFamily;
    if (window.Plotly) {
      holder.querySelector(".painted")?.remove();
      Plotly.react(holder, data, layout, { displayModeBar: false, responsive: true });
    } else if (paintFigure(holder, { data, layout })) {
      POINTED_AT.forEach((kind) => holder.addEventListener(kind, askForPlotly));
    } else {
      askForPlotly();
    }
  };

  const drawAll = () => document.querySelectorAll("[data-chart]").forEach(draw);

  document.addEventListener("DOMContentLoaded", drawAll);
  document.addEventListener("htmx:afterSwap", drawAll);
  document.addEventListener("themechange", drawAll);

  let width = innerWidth;
  addEventListener("resize", () => {
    if (innerWidth !== width) requestAnimationFrame(drawAll);
    width = innerWidth;
  });
})();
