// Figures that a reader can grab: points that follow the mouse, a finger or
// the arrow keys, and a picture that follows the points. No dependencies.
//
// render({ model, el }) has the shape that anywidget asks for. The model
// gives "spec" (how the scene is drawn, from Python) and "values" (where its
// parameters stand); the figure writes "values" when it is moved, and follows
// "change:values" where the model can tell. A scene is three pure functions:
//   see(h)    parameters -> named points, curves, numbers and words;
//   take      for each handle (p, h) -> parameters, with the pointer at p;
//   still()   what never moves (optional).
// pinv_edu/grabbing has the same scenes in Python, by the library's own
// operators; the tests compare every value.

// ---- small vectors

const add = (a, b) => [a[0] + b[0], a[1] + b[1]];
const sub = (a, b) => [a[0] - b[0], a[1] - b[1]];
const mul = (s, a) => [s * a[0], s * a[1]];
const dot = (a, b) => a[0] * b[0] + a[1] * b[1];
const norm = (a) => Math.hypot(a[0], a[1]);
const turn = (degrees) => {
  const r = (degrees * Math.PI) / 180;
  return [Math.cos(r), Math.sin(r)];
};
const normal = (a) => [-a[1], a[0]];
const steps = (low, high, n) =>
  Array.from({ length: n }, (_, i) => low + ((high - low) * i) / (n - 1));
const through = (p, d, far = 20) => [sub(p, mul(far, d)), add(p, mul(far, d))];
// how much of the way from a to a + way lies before p
const share = (p, a, way, now) =>
  dot(way, way) > 0 ? dot(sub(p, a), way) / dot(way, way) : now;
// the pseudo-inverse of one row: a y / |a|^2, and 0 for the row 0
const rowPinv = (a, y) => (dot(a, a) > 0 ? mul(y / dot(a, a), a) : [0, 0]);

export const scenes = {};

// ---- scene: fibre
scenes.fibre = {
  see(h) {
    const a = turn(h.theta);
    const along = normal(a);
    const foot = mul(h.y, a);
    const x = add(foot, mul(h.t, along));
    return {
      origin: [0, 0], a, foot, x,
      fibre: through(foot, along), null: through([0, 0], along),
      row: through([0, 0], a), seen: dot(a, x), far: norm(foot),
    };
  },
  take: {
    a: (p) => ({ theta: (Math.atan2(p[1], p[0]) * 180) / Math.PI }),
    y: (p, h) => ({ y: dot(turn(h.theta), p) }),
    x: (p, h) => ({ t: dot(normal(turn(h.theta)), p) }),
  },
};

// ---- scene: projection
const GRIP = -1.8; // where on the fibre one holds it
scenes.projection = {
  see(h) {
    const a = [h.a1, h.a2], x_r = [h.x1, h.x2];
    const start = rowPinv(a, h.y);
    const seen = rowPinv(a, dot(a, x_r));
    const lost = sub(x_r, seen);
    const x = add(x_r, rowPinv(a, h.y - dot(a, x_r)));
    const along = mul(1 / norm(a), normal(a));
    return {
      origin: [0, 0], x_r, start, seen, lost, x,
      fibre: through(start, along), row: through([0, 0], mul(1 / norm(a), a)),
      y_r: dot(a, x_r), y_x: dot(a, x), moved: norm(sub(x, x_r)),
      grip: add(start, mul(GRIP, along)),
    };
  },
  take: {
    x_r: (p) => ({ x1: p[0], x2: p[1] }),
    y: (p, h) => ({ y: h.a1 * p[0] + h.a2 * p[1] }),
  },
};

// ---- scene: decomposition
scenes.decomposition = {
  see(h) {
    const a = [h.a1, h.a2], x = [h.x1, h.x2];
    const seen = rowPinv(a, dot(a, x)), lost = sub(x, seen);
    const far = norm(a);
    const along = far > 0 ? mul(1 / far, a) : null;
    return {
      origin: [0, 0], a, x, seen, lost, y: dot(a, x),
      row: along && through([0, 0], along),
      null: along && through([0, 0], normal(along)),
      fibre: along && through(seen, normal(along)),
      share: norm(x) > 0 ? dot(seen, seen) / dot(x, x) : 0,
    };
  },
  take: {
    x: (p) => ({ x1: p[0], x2: p[1] }),
    a: (p) => ({ a1: p[0], a2: p[1] }),
  },
};

// ---- scene: penrose
scenes.penrose = {
  see(h) {
    const v = turn(h.theta), u = turn(h.phi);
    const x = [h.x1, h.x2], y = [h.y1, h.y2];
    const seen = mul(dot(v, x), v), fit = mul(dot(u, y), u);
    return {
      origin: [0, 0], v, u, x, y, seen, fit,
      lost: sub(x, seen), rest: sub(y, fit),
      row: through([0, 0], v), null: through([0, 0], normal(v)),
      range: through([0, 0], u), left: through([0, 0], normal(u)),
      image: mul(SIGMA * dot(v, x), u), back: mul(dot(u, y) / SIGMA, v),
    };
  },
  take: {
    v: (p) => ({ theta: (Math.atan2(p[1], p[0]) * 180) / Math.PI }),
    u: (p) => ({ phi: (Math.atan2(p[1], p[0]) * 180) / Math.PI }),
    x: (p) => ({ x1: p[0], x2: p[1] }),
    y: (p) => ({ y1: p[0], y2: p[1] }),
  },
};
const SIGMA = 1.5; // A = SIGMA u v', of rank 1

// ---- scene: cliff
const LARGE = 1.6, WALL = [0.008, 2];
const [SIDE_1, SIDE_2] = [turn(25), turn(115)];
const spread = (low, high, n) =>
  steps(Math.log(low), Math.log(high), n).map(Math.exp);
scenes.cliff = {
  see(h) {
    const y = [h.y1, h.y2], edge = h.cut * LARGE;
    const [c1, c2] = [dot(SIDE_1, y), dot(SIDE_2, y)];
    const kept = h.small > edge;
    const answer = (s) => Math.hypot(c1 / LARGE, c2 / s);
    const length = kept ? answer(h.small) : Math.abs(c1) / LARGE;
    const round = steps(0, 360, 73).map(turn).map(([c, s]) =>
      add(mul(LARGE * c, SIDE_1), mul(h.small * s, SIDE_2)));
    const ends = mul(LARGE, SIDE_1), foot = kept ? null : mul(c1, SIDE_1);
    const split = Math.min(WALL[1], Math.max(WALL[0], edge));
    const curve = (low, high) =>
      spread(low, high, 41).map((s) => [s, answer(s)]);
    const low = Math.abs(c1) / LARGE;
    return {
      y, foot, round: kept ? round : null, ghost: kept ? null : round,
      kept_line: kept ? null : [mul(-1, ends), ends],
      miss: kept ? null : [y, foot], misfit: kept ? 0 : Math.abs(c2), length,
      rank: kept ? "2" : "1", verdict: kept ? "kept" : "dropped",
      long: curve(split, WALL[1]), would: curve(WALL[0], split),
      short: [[WALL[0], low], [split, low]], edge,
      wall: [[edge, 0.4], [edge, 120]], cutter: [edge, 0.6],
      point: [h.small, length],
    };
  },
  take: {
    small: (p) => ({ small: p[0] }),
    cut: (p) => ({ cut: p[0] / LARGE }),
    y: (p) => ({ y1: p[0], y2: p[1] }),
  },
};

// ---- scene: steps
const GOAL = [1, 0.5], TILT = turn(30);
const TURNS = Array.from({ length: 21 }, (_, k) => k);
const stepping = (kappa) => {
  const rows = [TILT, mul(1 / kappa, normal(TILT))];
  const A = (x) => rows.map((r) => dot(r, x));
  const combine = (w1, w2) => ([u, v]) =>
    add(mul(w1 * u, TILT), mul(w2 * v, normal(TILT)));
  return { A, adjoint: combine(1, 1 / kappa), pinv: combine(1, kappa) };
};
scenes.steps = {
  see(h) {
    const { A, adjoint, pinv } = stepping(h.kappa), y = A(GOAL);
    const walk = (move) => {
      const path = [[h.x1, h.x2]];
      while (path.length < 21)
        path.push(add(path.at(-1), move(sub(y, A(path.at(-1))))));
      return path;
    };
    const gradient = walk((e) => mul(h.tau, adjoint(e)));
    const relaxed = walk((e) => mul(h.lam, pinv(e)));
    const off = (path) => path.map((x, k) =>
      [k, Math.max(1e-6, norm(sub(y, A(x))))]);
    const ring = steps(0, 360, 73).map(turn);
    return {
      goal: GOAL, x_0: [h.x1, h.x2], gradient, relaxed,
      first: gradient[1], jump: relaxed[1],
      off_gradient: off(gradient), off_relaxed: off(relaxed),
      rings: [0.5, 1, 1.5, 2, 2.5].map((r) => ring.map(([c, s]) => add(GOAL,
        add(mul(r * c, TILT), mul(r * s * h.kappa, normal(TILT)))))),
      left_gradient: off(gradient)[20][1], left_relaxed: off(relaxed)[20][1],
    };
  },
  take: {
    x_0: (p) => ({ x1: p[0], x2: p[1] }),
    jump: (p, { x1, x2, lam }) =>
      ({ lam: share(p, [x1, x2], sub(GOAL, [x1, x2]), lam) }),
    first: (p, { x1, x2, kappa, tau }) => {
      const { A, adjoint } = stepping(kappa);
      const way = adjoint(A(sub(GOAL, [x1, x2])));
      return { tau: share(p, [x1, x2], way, tau) };
    },
  },
};

// ---- scenes: bend, tempting, swap
// g(x) = sinh(x1) - sin(2 x2), completed by z = x2
const waves = (x) => Math.sinh(x[0]) - Math.sin(2 * x[1]);
const unbend = ([y, z]) => [Math.asinh(y + Math.sin(2 * z)), z];
const HEIGHTS = steps(-2.2, 2.2, 89);
const wave = (y) => HEIGHTS.map((z) => unbend([y, z]));
const FOOT = -1.6; // the height at which one holds a fibre
const WAVES = () => ({ fibres: steps(-8, 8, 9).map(wave) });

// ---- scene: bend
scenes.bend = {
  see(h) {
    const x_r = [h.x1, h.x2], z = h.x2, y_r = waves(x_r);
    const x = unbend([h.y, z]);
    const miss = add(x_r, [Math.asinh(h.y - y_r), 0]);
    return {
      x_r, x, z, y_r, y_x: waves(x), miss, y_miss: waves(miss),
      fibre: wave(h.y), fibre_map: [[h.y, -2.2], [h.y, 2.2]],
      way: steps(y_r, h.y, 25).map((y) => unbend([y, z])),
      x_r_map: [y_r, z], x_map: [h.y, z], miss_map: [waves(miss), z],
      grip: unbend([h.y, FOOT]), grip_map: [h.y, FOOT],
    };
  },
  still: () => {
    const levels = steps(-4, 4, 9), rungs = steps(-1.5, 1.5, 7);
    const across = steps(-9, 9, 91);
    return {
      fibres: levels.map(wave),
      rungs: rungs.map((z) => across.map((y) => unbend([y, z]))),
      fibres_map: levels.map((y) => [[y, -2.2], [y, 2.2]]),
      rungs_map: rungs.map((z) => [[-9, z], [9, z]]),
    };
  },
  take: {
    x_r: (p) => ({ x1: p[0], x2: p[1] }),
    y: (p) => ({ y: waves([p[0], FOOT]) }),
    x_r_map: (p) => ({ x1: unbend(p)[0], x2: p[1] }),
    y_map: (p) => ({ y: p[0] }),
  },
};

// ---- scene: tempting
scenes.tempting = {
  see(h) {
    const places = [[h.x1, h.x2]];
    while (places.length < 21) {
      const x = places.at(-1);
      places.push(add(x, [Math.asinh(h.y - waves(x)), 0]));
    }
    const half = steps(0, 180, 13).map(turn);
    const off = places.map((x) => Math.max(1e-8, Math.abs(waves(x) - h.y)));
    return {
      x_r: places[0], x: unbend([h.y, h.x2]), places, landed: places[1],
      fibre: wave(h.y), grip: unbend([h.y, FOOT]),
      arcs: places.slice(1).map((b, i) => {
        const a = places[i], r = (b[0] - a[0]) / 2;
        return half.map(([c, s]) => [(a[0] + b[0]) / 2 - r * c, a[1] + r * s / 2]);
      }),
      off: off.map((e, k) => [k, e]), first: off[1], last: off[20],
      exact: [[0, off[0]], [1, 1e-8]], hit: [1, 1e-8],
      verdict: off[20] < 1e-5 ? "they settle" : "they do not settle",
    };
  },
  still: WAVES,
  take: {
    x_r: (p) => ({ x1: p[0], x2: p[1] }),
    y: (p) => ({ y: waves([p[0], FOOT]) }),
  },
};

// ---- scene: swap
// the same g, with a null code that depends on y
const code = (y) => 0.45 * Math.sin(y);
const TARGETS = steps(-5.5, 5.5, 89);
scenes.swap = {
  see(h) {
    const x_r = [h.x1, h.x2], y_x = waves(x_r), kept = h.x2 - code(y_x);
    const way = [h.y - y_x, code(h.y) - code(y_x)];
    const start = [y_x, h.x2], x_map = add(start, mul(h.lam, way));
    const x = unbend(x_map), e = h.y - y_x;
    const miss = add(x_r, unbend([e, code(e)]));
    const answers = TARGETS.map((y) => [y, code(y)]);
    const reach = answers.map(([y, z]) => [y, z + kept]);
    const ends = steps(0, h.lam, 25).map((s) => add(start, mul(s, way)));
    return {
      x_r, x, y_x, z: h.x2, kept, y_new: waves(x),
      kept_new: x[1] - code(waves(x)), miss, y_miss: waves(miss),
      fibre: wave(h.y), fibre_map: [[h.y, -9], [h.y, 9]],
      grip: unbend([h.y, FOOT]), grip_map: [h.y, FOOT],
      answers: answers.map(unbend), answers_map: answers,
      reach: reach.map(unbend), reach_map: reach,
      way: ends.map(unbend), way_map: ends, x_r_map: start, x_map,
      miss_map: [waves(miss), miss[1]],
    };
  },
  still: WAVES,
  take: {
    x_r: (p) => ({ x1: p[0], x2: p[1] }),
    y: (p) => ({ y: waves([p[0], FOOT]) }),
    x_r_map: (p) => ({ x1: unbend(p)[0], x2: p[1] }),
    y_map: (p) => ({ y: p[0] }),
    lam: (p, h) => {
      const y_x = waves([h.x1, h.x2]), start = [y_x, h.x2];
      const way = [h.y - y_x, code(h.y) - code(y_x)];
      return { lam: share(p, start, way, h.lam) };
    },
  },
};

// ---- scenes: ddnm, diffusion
const MEANS = [[-0.6, -0.6], [0.6, 0.6], [-0.6, 0.7]];
const SPREADS = [[0.0208, 0.0192, 0.0208], [0.0208, 0.0192, 0.0208], [0.01, 0, 0.01]];
const WEIGHTS = [0.4, 0.35, 0.25];
const ALPHAS = [];
for (let t = 0, product = 1; t < 1000; t++)
  ALPHAS.push((product *= 1 - (1e-4 + ((0.02 - 1e-4) * t) / 999)));
const alphaAt = (t) => (t < 0 ? 1 : ALPHAS[t]);

// for each cloud: its share, and C^-1 (x - mean) with the noised C
function clouds(x, alpha) {
  const parts = MEANS.map((mean, k) => {
    const [p, q, r] = SPREADS[k].map((v, i) => alpha * v + (i === 1 ? 0 : 1 - alpha));
    const d = sub(x, mul(Math.sqrt(alpha), mean)), det = p * r - q * q;
    const pull = [(r * d[0] - q * d[1]) / det, (p * d[1] - q * d[0]) / det];
    const log = Math.log(WEIGHTS[k]) - 0.5 * (dot(d, pull) + Math.log(det));
    return { pull, log, C: [p, q, r, det] };
  });
  const top = Math.max(...parts.map((part) => part.log));
  const weights = parts.map((part) => Math.exp(part.log - top));
  const total = weights.reduce((a, b) => a + b);
  return parts.map((part, k) => ({ ...part, share: weights[k] / total }));
}

const score = (x, alpha) => clouds(x, alpha).reduce((sum, { pull, share }) =>
  sub(sum, mul(share, pull)), [0, 0]);

function clean(x, alpha) {
  const noise = mul(-Math.sqrt(1 - alpha), score(x, alpha));
  const x0 = mul(1 / Math.sqrt(alpha), sub(x, mul(Math.sqrt(1 - alpha), noise)));
  return { noise, x0 };
}

// the sampler without fresh noise, from time t; change is done to each guess
function walkBack(x, t, skip, change) {
  const path = [x], guesses = [];
  for (; t >= 0; t -= skip) {
    const { noise, x0 } = clean(path.at(-1), ALPHAS[t]), next = alphaAt(t - skip);
    guesses.push(x0);
    path.push(add(mul(Math.sqrt(next), change(x0)),
      mul(Math.sqrt(1 - next), noise)));
  }
  return { path, guesses };
}

const LATTICE = steps(-1.5, 1.5, 11).flatMap((b) =>
  steps(-2.1, 2.1, 15).map((a) => [a, b]));
const fieldAt = (alpha) => LATTICE.map((x) => {
  const s = score(x, alpha);
  return [...x, ...mul(0.26 / (1 + norm(s)), s)];
});
const stillClouds = () => ({
  clouds: MEANS.map((mean, i) => {
    const [p, q, r] = SPREADS[i], a = Math.sqrt(p), b = q / a;
    const c = Math.sqrt(r - b * b);
    return steps(0, 360, 49).map(turn).map(([u, v]) =>
      add(mean, mul(2, [a * u, b * u + c * v])));
  }),
});

// ---- scene: ddnm
scenes.ddnm = {
  see(h) {
    const { path, guesses } = walkBack([h.x1, h.x2], 950, 50,
      (x0) => [h.y, x0[1]]);
    guesses.push(path[20]);
    const k = h.k, t = 50 * (19 - k), x0 = guesses[k];
    const hidden = guesses.map((x, i) => [i, x[1]]);
    return {
      x_T: path[0], state: path[k], x0, fitted: [h.y, x0[1]], end: path[20],
      path, line: [[h.y, -9], [h.y, 9]], grip: [h.y, -1.45],
      time: Math.max(0, t), hidden, at: hidden[k], field: fieldAt(alphaAt(t)),
    };
  },
  still: stillClouds,
  take: {
    x_T: (p) => ({ x1: p[0], x2: p[1] }),
    y: (p) => ({ y: p[0] }),
    k: (p) => ({ k: p[0] }),
  },
};

// ---- scene: diffusion
// mean of the possible starts in each cloud, and how far starts scatter
function starts(x, alpha) {
  const parts = clouds(x, alpha).map(({ pull, share, C: [p, q, r, det] }, k) => {
    const [a, b, c] = SPREADS[k], root = Math.sqrt(alpha);
    const mean = add(MEANS[k], mul(root, [
      a * pull[0] + b * pull[1], b * pull[0] + c * pull[1]]));
    return { share, mean, own: ((1 - alpha) * (a * r - 2 * b * q + c * p)) / det };
  });
  const x0 = parts.reduce((sum, { share, mean }) =>
    add(sum, mul(share, mean)), [0, 0]);
  const square = parts.reduce((sum, { share, mean, own }) =>
    sum + share * (own + norm(sub(mean, x0)) ** 2), 0);
  return { parts, error: Math.sqrt(square) };
}

scenes.diffusion = {
  see(h) {
    const time = 20 * Math.round(h.t / 20), alpha = ALPHAS[time];
    const { path, guesses } = walkBack([h.x1, h.x2], time, 20, (x0) => x0);
    const errors = guesses.map((_, k) =>
      [time - 20 * k, starts(path[k], ALPHAS[time - 20 * k]).error]);
    const { parts } = starts(path[0], alpha);
    const [w1, w2, w3] = parts.map((part) => 100 * part.share);
    return {
      x_t: path[0], x0: guesses[0], path, end: path.at(-1), time, alpha,
      means: parts.map((part) => part.mean),
      rays: parts.map((part) => [part.mean, guesses[0]]), w1, w2, w3,
      at_1: [-0.8, -1], at_2: [0.95, 0.9], at_3: [-0.8, 0.8],
      errors, level: errors[0], error: errors[0][1], field: fieldAt(alpha),
    };
  },
  still: stillClouds,
  take: {
    x_t: (p) => ({ x1: p[0], x2: p[1] }),
    t: (p) => ({ t: p[0] }),
  },
};

// ---- scene: coupling
// s = bound * tanh(S / bound), with S and T two waves: size, speed, phase
const RECIPES = [
  { S: [1.5, 1.1, 0.2], T: [0.4, 1.5, 0.3] },
  { S: [1.5, 0.8, -0.5], T: [0.5, 1, 1.2] },
];
const COS = 0.6, SIN = 0.8; // Cayley's rotation of K = 0.5
const RADIUS = 0.3;
const wavy = ([size, speed, phase], u) => [size * Math.sin(speed * u + phase),
  size * speed * Math.cos(speed * u + phase)];

// the recipe and its slopes at the number that passes
function recipe(k, u, bound) {
  const [S, dS] = wavy(RECIPES[k].S, u), [t, dt] = wavy(RECIPES[k].T, u);
  const squash = Math.tanh(S / bound);
  return { s: bound * squash, ds: dS * (1 - squash ** 2), t, dt };
}

function layers(x, bound) {
  const one = recipe(0, x[0], bound), v = x[1] * Math.exp(one.s);
  const low = [v * one.ds + one.dt, Math.exp(one.s)]; // second row of D
  const mid = [COS * x[0] - SIN * (v + one.t), SIN * x[0] + COS * (v + one.t)];
  const turned = [[COS - SIN * low[0], -SIN * low[1]],
    [SIN + COS * low[0], COS * low[1]]];
  const two = recipe(1, mid[0], bound), w = mid[1] * Math.exp(two.s);
  const D = [turned[0], add(mul(w * two.ds + two.dt, turned[0]),
    mul(Math.exp(two.s), turned[1]))];
  return { y: [mid[0], w + two.t], D, log_det: one.s + two.s };
}

function unlayer(y, bound) {
  const two = recipe(1, y[0], bound);
  const v = (y[1] - two.t) * Math.exp(-two.s);
  const u = COS * y[0] + SIN * v, one = recipe(0, u, bound);
  return [u, (COS * v - SIN * y[0] - one.t) * Math.exp(-one.s)];
}

function stretches([[a, b], [c, d]]) {
  const [p, q] = [Math.hypot(a + d, b - c), Math.hypot(a - d, b + c)];
  const most = (p + q) / 2;
  return { most, least: (a * d - b * c) / most };
}
const lines = (move) => {
  const at = steps(-1.2, 1.2, 7), along = steps(-1.2, 1.2, 33);
  return { upright: at.map((a) => along.map((b) => move([a, b]))),
    level: at.map((b) => along.map((a) => move([a, b]))) };
};

scenes.coupling = {
  see(h) {
    const x = [h.x1, h.x2], { y, D, log_det } = layers(x, h.b);
    const round = steps(0, 360, 49).map(turn).map((p) => mul(RADIUS, p));
    const { most, least } = stretches(D);
    const { upright, level } = lines((p) => layers(p, h.b).y);
    const curve = steps(0.1, 3, 30).map((b) => {
      const other = stretches(layers(x, b).D);
      return [b, other.most / other.least];
    });
    return {
      x, y, back: unlayer(y, h.b), upright_map: upright, level_map: level,
      circle: round.map((p) => add(x, p)),
      ellipse: round.map((p) => add(y, D.map((r) => dot(r, p)))),
      log_det, area: Math.exp(log_det), most, least, kappa: most / least,
      curve, knob: [h.b, most / least],
    };
  },
  still: () => lines((p) => p),
  take: {
    x: (p) => ({ x1: p[0], x2: p[1] }),
    y: (p, h) => {
      const x = unlayer(p, h.b);
      return { x1: x[0], x2: x[1] };
    },
    b: (p) => ({ b: p[0] }),
  },
};

// ---- render

const SVG = "http://www.w3.org/2000/svg";
const FONT = 14; // CSS pixels: 10.5 points
const STYLE = `
.pinv-grab{font:${FONT}px/1.45 system-ui,sans-serif;color:#111}
.pinv-stage{position:relative;margin:0 auto;user-select:none;-webkit-user-select:none}
.pinv-stage>svg{display:block}
.pinv-stage .w{paint-order:stroke;stroke:#fff;stroke-width:4px;stroke-linejoin:round}
.pinv-handle{position:absolute;width:44px;height:44px;margin:-22px 0 0 -22px;border-radius:50%;touch-action:none;cursor:grab}
.pinv-handle::before{content:"";position:absolute;inset:9px;border:2px solid #111;border-radius:50%}
.pinv-handle:hover::before{background:#1112}
.pinv-handle:focus{outline:none}
.pinv-handle:focus-visible::before{outline:3px solid #d55e00;outline-offset:2px}
.pinv-held{cursor:grabbing}
.pinv-grab p.pinv-read{margin:.4rem auto 0;min-height:2.9em;font-variant-numeric:tabular-nums}
.pinv-grab p.pinv-say{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%)}
`;

// Words and numbers.

export function fixed(value, digits) {
  // half away from zero, as in Python's grabbing.words
  const unit = 10 ** digits;
  const size = Math.floor(Math.abs(value) * unit + 0.5 + 1e-7) / unit;
  return (value < 0 && size > 0 ? "−" : "") + size.toFixed(digits);
}

export function fill(text, values) {
  return text.replace(/\{(\w+)(?::(\d))?\}/g, (_, name, digits) => {
    const value = values[name], n = +(digits ?? 2);
    if (typeof value === "string") return value;
    if (Array.isArray(value))
      return "(" + value.map((v) => fixed(v, n)).join(", ") + ")";
    return fixed(value, n);
  });
}

const escaped = (text) =>
  text.replace(/[&<>"]/g, (c) => `&#${c.charCodeAt(0)};`);

// "$x_{0|t}$ and x" -> tspans: italic letters, indices, exponents
function markup(text) {
  let drop = 0;
  const span = (words, want, more) => {
    const dy = want - drop;
    drop = want;
    return `<tspan dy="${dy}"${more}>${escaped(words)}</tspan>`;
  };
  return text.split("$").map((part, i) =>
    i % 2 ? maths(part, span) : part && span(part, 0, "")).join("");
}

function maths(text, span) {
  const found = text.replace(/'/g, "′").match(/[_^]\{[^}]*\}|[_^].|\\,|./gu);
  return (found ?? []).map((token) => {
    if (token === "\\,") return " ";
    const script = /^[_^]/.test(token);
    const want = script ? (token[0] === "_" ? 4 : -6) : 0;
    const words = script ? token.slice(1).replace(/[{}]/g, "") : token;
    const style = /^[\p{L}]/u.test(words) ? "italic" : "normal";
    return span(words, want,
      ` font-style="${style}"${script ? ' font-size="11"' : ""}`);
  }).join("");
}

const lengthOf = (text) =>
  7.4 * text.replace(/[$_^{}\\]/g, "").length;

// Panels: where they stand, and the way from numbers to pixels and back.

const scale = (log) => (log ? Math.log10 : (v) => v);

export function layout(panels, width) {
  const columns = panels.length > 1 && width >= 560 ? 2 : 1;
  let top = 0, low = 0;
  const boxes = panels.map((panel, i) => {
    const chart = panel.kind === "chart", column = i % columns;
    if (column === 0) top = low;
    // the last of an odd number has a row of its own
    const alone = columns === 1 || (column === 0 && i === panels.length - 1);
    const each = alone ? Math.min(width, columns === 1 ? 460 : width)
      : (width - 16) / 2;
    const head = panel.title ? 24 : chart ? 12 : 4;
    const left = (alone ? (width - each) / 2 : column * (each + 16)) +
      (chart ? 58 : 0);
    const w = each - (chart ? 66 : 0);
    const ratio = (panel.y[1] - panel.y[0]) / (panel.x[1] - panel.x[0]);
    const h = chart ? panel.high * Math.min(each, 460) : w * ratio;
    low = Math.max(low, top + head + h + (chart ? 44 : 4) + 6);
    return { panel, left, top: top + head, w, h };
  });
  return { boxes, height: low };
}

export function toPixel({ panel, left, top, w, h }, [x, y]) {
  const [fx, fy] = panel.log.map(scale);
  const u = (fx(x) - fx(panel.x[0])) / (fx(panel.x[1]) - fx(panel.x[0]));
  const v = (fy(y) - fy(panel.y[0])) / (fy(panel.y[1]) - fy(panel.y[0]));
  return [left + u * w, top + h - v * h];
}

export function fromPixel({ panel, left, top, w, h }, [x, y]) {
  const back = (log, share, [low, high]) =>
    log ? low * (high / low) ** share : low + share * (high - low);
  return [back(panel.log[0], (x - left) / w, panel.x),
    back(panel.log[1], (top + h - y) / h, panel.y)];
}

const inside = ({ left, top, w, h }, [x, y]) =>
  x >= left - 2 && x <= left + w + 2 && y >= top - 2 && y <= top + h + 2;

// A place outside stays at the border, where it can be reached.
const held = ({ left, top, w, h }, [x, y]) => {
  const within = (v, low, far) =>
    Math.max(low + 6, Math.min(low + far - 6, Number.isFinite(v) ? v : low));
  return [within(x, left, w), within(y, top, h)];
};

// Shapes.

const text = (x, y, words, more = "") =>
  `<text x="${x.toFixed(1)}" y="${y.toFixed(1)}" ${more}>${markup(words)}</text>`;

// corners and first angle of the round ones, size in pixels
const MARKS = { s: [4, 45, 7], D: [4, 0, 7.5], "^": [3, -90, 8], v: [3, 90, 8] };
const CROSS = [[-0.3, -1], [0.3, -1], [0.3, -0.3], [1, -0.3], [1, 0.3],
  [0.3, 0.3], [0.3, 1], [-0.3, 1], [-0.3, 0.3], [-1, 0.3], [-1, -0.3],
  [-0.3, -0.3]];

function corners(kind) {
  const [c, s] = turn(45);
  if (kind === "X")
    return CROSS.map(([a, b]) => mul(7.5, [c * a - s * b, s * a + c * b]));
  const [n, first, r] = kind === "*" ? [10, -90, 10] : MARKS[kind];
  return Array.from({ length: n }, (_, i) =>
    mul((kind === "*" && i % 2 ? 0.4 : 1) * r, turn(first + (i * 360) / n)));
}

function markPath(kind, [x, y], size) {
  const r = 6 * size;
  if (kind === "o")
    return `M${x - r} ${y}a${r} ${r} 0 1 0 ${2 * r} 0a${r} ${r} 0 1 0 ${-2 * r} 0Z`;
  const at = corners(kind).map((p) =>
    add([x, y], mul(size, p)).map((v) => v.toFixed(1)).join(" "));
  return `M${at.join("L")}Z`;
}

function marks(kind, points, colour, size = 1) {
  const path = points.map((p) => markPath(kind, p, size)).join("");
  return `<path d="${path}" fill="${colour}" stroke="#fff"/>`;
}

function pathOf(box, points) {
  const at = points.map((p) => toPixel(box, p))
    .filter((p) => p.every(Number.isFinite))
    .map(([x, y]) => `${clampPixel(x)} ${clampPixel(y)}`);
  return at.length ? "M" + at.join("L") : "";
}
const clampPixel = (v) => Math.max(-1e4, Math.min(1e4, v)).toFixed(1);

function arrowHead(a, b, colour) {
  const along = sub(b, a), far = norm(along);
  if (far < 3) return "";
  const d = mul(1 / far, along), side = mul(5, normal(d));
  const base = sub(b, mul(Math.min(12, far), d));
  const corners = [b, add(base, side), sub(base, side)];
  const path = corners.map((p) => p.map(clampPixel).join(" ")).join("L");
  return `<path d="M${path}Z" fill="${colour}"/>`;
}

// Each drawer gets the shape, its values, its box and its look.
const drawers = {
  curve(shape, [points], box, look) {
    const many = Array.isArray(points[0]?.[0]) ? points : [points];
    const path = many.map((line) => pathOf(box, line)).join("");
    return `<path d="${path}" fill="none" stroke="${look.colour}" ` +
      `stroke-width="${shape.width ?? 2}" stroke-dasharray="${look.dash}"/>`;
  },
  area(shape, [points], box, look) {
    const many = Array.isArray(points[0]?.[0]) ? points : [points];
    const path = many.map((line) => pathOf(box, line) + "Z").join("");
    return `<path d="${path}" fill="${look.colour}" opacity="0.2"/>`;
  },
  arrow(shape, [from, to], box, look) {
    const a = toPixel(box, from), b = toPixel(box, to);
    const along = sub(b, a), far = norm(along);
    const end = far > 12 ? sub(b, mul(10 / far, along)) : a;
    const path = `M${a.map(clampPixel).join(" ")}L${end.map(clampPixel).join(" ")}`;
    return `<path d="${path}" stroke="${look.colour}" ` +
      `stroke-width="${shape.width ?? 2.4}" stroke-dasharray="${look.dash}"/>` +
      arrowHead(a, b, look.colour);
  },
  field(shape, [arrows], box, look) {
    const path = arrows.map(([x, y, u, v]) => {
      const a = toPixel(box, [x, y]), b = toPixel(box, [x + u, y + v]);
      const d = sub(b, a), n = normal(d);
      const tips = [1, -1].map((s) =>
        sub(b, add(mul(0.35, d), mul(0.2 * s, n))).map(clampPixel).join(" "));
      const end = b.map(clampPixel).join(" ");
      return `M${a.map(clampPixel).join(" ")}L${end}M${tips[0]}L${end}L${tips[1]}`;
    }).join("");
    return `<path d="${path}" fill="none" stroke="${look.colour}" stroke-width="1.2"/>`;
  },
  dots(shape, [points], box, look) {
    const shown = points.map((p) => toPixel(box, p))
      .filter((p) => inside(box, p));
    return marks(look.marker, shown, look.colour, 0.55);
  },
  dot(shape, [at], box, look) {
    const p = toPixel(box, at);
    return inside(box, p) ? marks(look.marker, [p], look.colour) : "";
  },
};

// Words stand above all lines, and inside the picture.
function words(shape, values, box, look, width) {
  if (!shape.label) return "";
  const where = toPixel(box, values[shape.values[0]]);
  const at = shape.kind === "note" ? held(box, where) : where;
  if (!inside(box, at)) return "";
  const said = fill(shape.label, values), far = lengthOf(said);
  const [dx, dy] = shape.offset ?? [14, -12];
  let x = at[0] + dx, anchor = dx < 0 ? "end" : "start";
  const end = Math.min(width, box.left + box.w + 8); // not in the next panel
  if (anchor === "start" && x + far > end) [x, anchor] = [at[0] - dx, "end"];
  if (anchor === "end" && x < far) [x, anchor] = [at[0] + Math.abs(dx), "start"];
  if (dx === 0) {
    anchor = "middle";
    x = Math.max(far / 2, Math.min(width - far / 2, x));
  }
  const y = Math.max(box.top + 12, Math.min(box.top + box.h - 4, at[1] + dy + 5));
  return text(x, y, said, `fill="${look.ink}" text-anchor="${anchor}" class="w"`);
}

// What stands still: axes, ticks, names.

function axesOf(box) {
  return box.panel.kind === "chart" ? chartAxes(box) : planeAxes(box);
}

function planeAxes(box) {
  const { panel, left, top, w, h } = box;
  const [ox, oy] = toPixel(box, [0, 0]);
  let path = `M${left} ${oy}h${w}M${ox} ${top}v${h}`;
  for (let i = Math.ceil(panel.x[0]); i <= panel.x[1]; i++)
    path += `M${toPixel(box, [i, 0])[0]} ${oy - 4}v8`;
  for (let i = Math.ceil(panel.y[0]); i <= panel.y[1]; i++)
    path += `M${ox - 4} ${toPixel(box, [0, i])[1]}h8`;
  const grey = 'fill="#555" class="w"';
  return `<path d="${path}" stroke="#c4c4c4" stroke-width="1"/>` +
    text(left + w - 2, oy - 7, panel.names[0], `${grey} text-anchor="end"`) +
    text(ox + 6, top + 13, panel.names[1], grey);
}

function chartAxes(box) {
  const { panel, left, top, w, h } = box;
  let path = `M${left} ${top}v${h}h${w}`, names = "";
  for (const [value, label] of panel.ticks[0]) {
    const x = toPixel(box, [value, panel.y[0]])[0];
    path += `M${x} ${top + h}v5`;
    names += text(x, top + h + 18, label, 'text-anchor="middle" fill="#333"');
  }
  for (const [value, label] of panel.ticks[1]) {
    const y = toPixel(box, [panel.x[0], value])[1];
    path += `M${left} ${y}h-5`;
    names += text(left - 8, y + 5, label, 'text-anchor="end" fill="#333"');
  }
  names += text(left + w / 2, top + h + 38, panel.names[0],
    'text-anchor="middle" fill="#333"');
  names += text(left - 46, top + h / 2, panel.names[1], 'text-anchor="middle" ' +
    `fill="#333" transform="rotate(-90 ${left - 46} ${top + h / 2})"`);
  return `<path d="${path}" stroke="#777" fill="none"/>${names}`;
}

function titleOf({ panel, left, top, w }) {
  if (!panel.title) return "";
  return text(left + w / 2, top - 9, panel.title,
    'text-anchor="middle" fill="#111"');
}

function legendOf(spec, width, top) {
  let x = 4, y = top + 18;
  const entries = spec.legend.map(([role, said, kind]) => {
    const far = 40 + lengthOf(said);
    if (x > 4 && x + far > width) [x, y] = [4, y + 24];
    const look = spec.roles[role];
    const swatch = kind === "line"
      ? `<path d="M${x} ${y - 5}h26" stroke="${look.colour}" ` +
        `stroke-width="2.4" stroke-dasharray="${look.dash}"/>`
      : marks(look.marker, [[x + 13, y - 5]], look.colour);
    const entry = swatch + text(x + 32, y, said, 'fill="#111"');
    x += far + 8;
    return entry;
  });
  return [entries.join(""), entries.length ? y + 8 : top];
}

function lookOf(spec, shape) {
  const look = spec.roles[shape.role];
  const own = { ...look };
  if (shape.colour) own.colour = shape.colour;
  if (shape.solid) own.dash = "none";
  return own;
}

// A layer of shapes: one clipped group for each panel, then the words.
function layer(spec, shapes, values, boxes, width) {
  const groups = boxes.map(() => ["", ""]);
  for (const shape of shapes) {
    const given = shape.values.map((name) => values[name]);
    if (given.some((v) => v === null || v === undefined)) continue;
    const box = boxes[shape.panel], look = lookOf(spec, shape);
    const drawer = drawers[shape.kind];
    if (drawer) {
      const free = shape.kind.startsWith("dot") ? 1 : 0;
      groups[shape.panel][free] += drawer(shape, given, box, look);
    }
    groups[shape.panel][1] += words(shape, values, box, look, width);
  }
  return boxes.map(({ left, top, w, h }, i) =>
    `<svg x="${left}" y="${top}" width="${w}" height="${h}" ` +
    `viewBox="${left} ${top} ${w} ${h}">${groups[i][0]}</svg>${groups[i][1]}`)
    .join("");
}

// Parameters: their range, and the steps of keys and pointer.

export function settle({ low, high, fine, log }, value) {
  if (Number.isNaN(value)) return low;
  const round = log ? +value.toPrecision(3) : Math.round(value / fine) * fine;
  return Math.min(high, Math.max(low, +round.toFixed(10)));
}

export function press(parameter, value, count) {
  const { low, high, step, log } = parameter;
  if (count === Infinity) return high;
  if (count === -Infinity) return low;
  return settle(parameter, log ? value * step ** count : value + count * step);
}

// Which parameter a key moves, and how far.
export function keyOf(event, handle) {
  const [first, second] = [handle.moves[0], handle.moves.at(-1)];
  const far = event.shiftKey ? 5 : 1;
  return {
    ArrowRight: [first, far], ArrowLeft: [first, -far],
    ArrowUp: [second, far], ArrowDown: [second, -far],
    PageUp: [second, 5], PageDown: [second, -5],
    Home: [first, -Infinity], End: [first, Infinity],
  }[event.key];
}

function makeHandle(handle, spec, stage, change, pointer) {
  const node = document.createElement("div");
  node.className = "pinv-handle";
  node.tabIndex = 0;
  node.setAttribute("role", "slider");
  node.setAttribute("aria-label", handle.words);
  const first = spec.parameters[handle.moves[0]];
  node.setAttribute("aria-valuemin", first.low);
  node.setAttribute("aria-valuemax", first.high);
  node.dataset.handle = handle.name;
  node.dataset.lmSuppressShortcuts = "true"; // Notebook 7 takes keys first
  node.addEventListener("keydown", (event) => {
    const key = !event.ctrlKey && !event.altKey && !event.metaKey &&
      keyOf(event, handle);
    if (!key) return;
    event.preventDefault();
    event.stopPropagation();
    change((h) => ({ [key[0]]: press(spec.parameters[key[0]], h[key[0]], key[1]) }));
  });
  node.addEventListener("pointerdown", (event) => pointer(event, handle, node));
  stage.append(node);
  return node;
}

export function render({ model, el }) {
  const spec = model.get("spec"), scene = scenes[spec.scene];
  const h = { ...model.get("values") };
  const root = document.createElement("div");
  root.className = "pinv-grab";
  root.innerHTML = `<style>${STYLE}</style><div class="pinv-stage"></div>` +
    '<p class="pinv-read" aria-hidden="true"></p>' +
    '<p class="pinv-say" role="status"></p>';
  const [, stage, read, say] = root.children;
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("role", "img");
  const [back, front] = [0, 0].map(() => document.createElementNS(SVG, "g"));
  svg.append(back, front);
  stage.append(svg);
  let boxes = [], width = 0, saying = 0;
  const still = scene.still ? scene.still() : {};
  const fixedShapes = spec.shapes.filter((s) => s.still);
  const movingShapes = spec.shapes.filter((s) => !s.still);

  function update(spoken) {
    const values = { ...h, ...scene.see(h) };
    front.innerHTML = layer(spec, movingShapes, values, boxes, width);
    const alt = fill(spec.alt, values);
    svg.setAttribute("aria-label", alt);
    read.textContent = fill(spec.read, values);
    spec.handles.forEach((handle, i) => place(handle, nodes[i], values));
    if (spoken) announce(alt);
    root.dispatchEvent(new CustomEvent("pinv-grab",
      { bubbles: true, detail: { values, parameters: { ...h } } }));
  }

  function place(handle, node, values) {
    const box = boxes[handle.panel];
    const [x, y] = held(box, toPixel(box, values[handle.at]));
    node.style.left = x + "px";
    node.style.top = y + "px";
    node.setAttribute("aria-valuenow", h[handle.moves[0]]);
    node.setAttribute("aria-valuetext", fill(handle.says, values));
  }

  // at most one announcement in 0.7 s, and the last word is always said
  function announce(alt) {
    say.dataset.next = alt;
    saying ||= setTimeout(() => {
      saying = 0;
      say.textContent = say.dataset.next;
    }, 700);
  }

  function change(wanted) {
    const changed = typeof wanted === "function" ? wanted(h) : wanted;
    for (const [name, value] of Object.entries(changed))
      h[name] = settle(spec.parameters[name], value);
    update(true);
    model.set?.("values", { ...h });
    model.save_changes?.();
  }

  // values that change elsewhere, in Python; our own come back equal
  function follow() {
    const before = { ...h };
    for (const [name, value] of Object.entries(model.get("values") ?? {})) {
      const range = spec.parameters[name];
      if (range && Number.isFinite(value))
        h[name] = Math.min(range.high, Math.max(range.low, value));
    }
    if (Object.keys(h).some((name) => h[name] !== before[name])) update(true);
  }

  function pointer(down, handle, node) {
    if (down.button) return;
    down.preventDefault();
    node.focus({ preventScroll: true });
    if (down.isTrusted) node.setPointerCapture(down.pointerId);
    node.classList.add("pinv-held");
    const at = [parseFloat(node.style.left), parseFloat(node.style.top)];
    const slip = sub(at, [down.clientX, down.clientY]);
    const move = (event) => {
      if (event.pointerId !== down.pointerId) return;
      const p = add(slip, [event.clientX, event.clientY]);
      const point = fromPixel(boxes[handle.panel], p);
      change((h) => scene.take[handle.name](point, h));
    };
    const stop = (event) => {
      if (event.pointerId !== down.pointerId) return;
      node.classList.remove("pinv-held");
      document.removeEventListener("pointermove", move);
      for (const name of ["pointerup", "pointercancel"])
        document.removeEventListener(name, stop);
    };
    document.addEventListener("pointermove", move);
    for (const name of ["pointerup", "pointercancel"])
      document.addEventListener(name, stop);
  }

  const nodes = spec.handles.map((handle) =>
    makeHandle(handle, spec, stage, change, pointer));

  function resize() {
    const room = Math.floor(root.clientWidth || spec.width);
    const next = Math.max(240, Math.min(spec.width, room));
    if (next === width) return;
    width = next;
    const plan = layout(spec.panels, width);
    boxes = plan.boxes;
    const [legend, height] = legendOf(spec, width, plan.height);
    svg.setAttribute("width", width);
    svg.setAttribute("height", height);
    svg.setAttribute("font-size", FONT);
    stage.style.width = read.style.maxWidth = width + "px";
    back.innerHTML = boxes.map(axesOf).join("") + boxes.map(titleOf).join("") + legend +
      layer(spec, fixedShapes, still, boxes, width);
    update(false);
  }

  el.append(root);
  resize();
  const watch = new ResizeObserver(resize);
  watch.observe(root);
  model.on?.("change:values", follow);
  return () => {
    model.off?.("change:values", follow);
    watch.disconnect();
    clearTimeout(saying);
    root.remove();
  };
}

export default { render };
