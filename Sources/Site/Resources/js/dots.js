// A Leaflet layer that draws all marks on one canvas: thousands of them in a few milliseconds, where elements would crawl.
// It draws only when something changed, and keeps drawing only while a mark moves or glows.
import * as L from "../leaflet/leaflet.esm.min.js";
import { colour } from "./scale.js";
import { shapeOf } from "./shapes.js";
import { count, figure } from "./text.js";

const padding = 0.25; // of the view, on each side, so that dragging shows no empty border
const moveMs = 900, glowMs = 1200;
const labelCountMax = 120, labelZoomMin = 14;
const calm = matchMedia("(prefers-reduced-motion: reduce)"), finger = matchMedia("(pointer: coarse)");

export const Dots = L.Layer.extend({
  initialize() {
    this._marks = new Map();
    this._clusters = [];
    this._chosen = new Set();
  },

  onAdd(map) {
    map.createPane("dots").style.zIndex = 450;
    this._canvas = L.DomUtil.create("canvas", "leaflet-zoom-animated", map.getPane("dots"));
    this._canvas.style.pointerEvents = "none";
    this._context = this._canvas.getContext("2d");
    this.readTheme();
    this._place();
  },

  onRemove() {
    cancelAnimationFrame(this._frame);
    this._canvas.remove();
  },

  getEvents() {
    return { moveend: this._place, resize: this._place, zoomanim: this._followZoom };
  },

  /** `marks`: Map of key to { layer, lat, lon, value, name, ... }; `clusters`: list of { lat, lon, count, layer, value }. */
  show(marks, clusters) {
    this._marks = marks;
    this._clusters = clusters;
    for (const mark of marks.values()) mark.point = null;
    this.draw();
  },

  /** Rings the marks with these keys. */
  choose(keys) {
    this._chosen = keys;
    this.draw();
  },

  glow(mark) {
    if (!calm.matches) mark.glowFrom = performance.now();
    this.draw();
  },

  move(mark, lat, lon) {
    if (!calm.matches && mark.point) {
      mark.moveFrom = performance.now();
      mark.fromLat = mark.lat;
      mark.fromLon = mark.lon;
    }
    Object.assign(mark, { lat, lon, point: null });
    this.draw();
  },

  /** The mark or cluster nearest to a point of the container, near enough to be meant, or null. */
  hit(containerPoint) {
    const at = this._map.containerPointToLayerPoint(containerPoint);
    let best = null, bestDistance = finger.matches ? 24 : 14;
    for (const cluster of this._clusters) {
      const distance = this._map.latLngToLayerPoint([cluster.lat, cluster.lon]).distanceTo(at) - clusterRadius(cluster.count) + 6;
      if (distance < bestDistance) [best, bestDistance] = [cluster, distance];
    }
    for (const mark of this._marks.values()) {
      const distance = this._pointOf(mark).distanceTo(at);
      if (distance < bestDistance) [best, bestDistance] = [mark, distance];
    }
    return best;
  },

  readTheme() {
    const style = getComputedStyle(document.documentElement);
    const value = (name) => style.getPropertyValue(name).trim();
    this._theme = { ink: value("--ink"), paper: value("--raised"), accent: value("--accent"), soft: value("--ink-soft"), font: value("--sans") };
    this.draw();
  },

  draw() {
    if (!this._canvas || this._frame) return;
    this._frame = requestAnimationFrame(() => {
      this._frame = null;
      if (this._paint(performance.now())) this.draw();
    });
  },

  _place() {
    const size = this._map.getSize();
    const margin = size.multiplyBy(padding).round();
    this._origin = this._map.containerPointToLayerPoint(margin.multiplyBy(-1)).round();
    const full = size.add(margin.multiplyBy(2));
    const density = Math.min(window.devicePixelRatio || 1, 2);
    const [width, height] = [Math.round(full.x * density), Math.round(full.y * density)];
    if (this._canvas.width !== width || this._canvas.height !== height) {
      Object.assign(this._canvas, { width, height });
      this._canvas.style.width = `${full.x}px`;
      this._canvas.style.height = `${full.y}px`;
    }
    this._density = density;
    this._size = full;
    this._corner = this._map.layerPointToLatLng(this._origin);
    L.DomUtil.setTransform(this._canvas, this._origin, 1);
    for (const mark of this._marks.values()) mark.point = null;
    cancelAnimationFrame(this._frame);
    this._frame = null;
    if (this._paint(performance.now())) this.draw();
  },

  _followZoom({ zoom, center }) {
    const offset = this._map._latLngToNewLayerPoint(this._corner, zoom, center);
    L.DomUtil.setTransform(this._canvas, offset, this._map.getZoomScale(zoom));
  },

  _pointOf(mark) {
    mark.point ??= this._map.latLngToLayerPoint([mark.lat, mark.lon]);
    return mark.point;
  },

  /** Draws everything; true when something is still in motion. */
  _paint(time) {
    const context = this._context, zoom = this._map.getZoom();
    context.setTransform(this._density, 0, 0, this._density, 0, 0);
    context.clearRect(0, 0, this._size.x, this._size.y);
    context.translate(-this._origin.x, -this._origin.y);
    context.lineJoin = "round";
    const radius = Math.min(8, Math.max(3.5, zoom / 2 - 1));
    const labels = zoom >= labelZoomMin && this._marks.size <= labelCountMax;
    const chosen = [];
    let moving = false;
    for (const cluster of this._clusters) this._paintCluster(context, cluster);
    for (const mark of this._marks.values()) {
      const point = this._movingPoint(mark, time);
      if (mark.moveFrom) moving = true;
      if (mark.glowFrom) moving = this._paintGlow(context, mark, point, radius, time) || moving;
      if (this._chosen.has(mark.key)) chosen.push({ mark, point });
      else this._paintMark(context, mark, point, radius);
      if (labels && typeof mark.value === "number") this._paintLabel(context, figure(mark.value, mark.layer.scale), point.x + radius + (this._chosen.has(mark.key) ? 14 : 4), point.y);
    }
    for (const { mark, point } of chosen) {
      context.beginPath();
      context.arc(point.x, point.y, radius + 8, 0, 2 * Math.PI);
      context.lineWidth = 3;
      context.strokeStyle = this._theme.accent;
      context.stroke();
      this._paintMark(context, mark, point, radius + 2);
    }
    return moving;
  },

  _movingPoint(mark, time) {
    const point = this._pointOf(mark);
    if (!mark.moveFrom) return point;
    const share = (time - mark.moveFrom) / moveMs;
    if (share >= 1) {
      mark.moveFrom = 0;
      return point;
    }
    const from = this._map.latLngToLayerPoint([mark.fromLat, mark.fromLon]);
    const eased = 1 - (1 - share) ** 3;
    return { x: from.x + (point.x - from.x) * eased, y: from.y + (point.y - from.y) * eased };
  },

  _paintMark(context, mark, point, radius) {
    const fill = colour(mark.layer, mark.value);
    trace(context, shapeOf(mark.layer), point, radius);
    context.fillStyle = fill ?? this._theme.paper;
    context.fill();
    context.lineWidth = fill ? 1.25 : 2;
    context.strokeStyle = fill ? this._theme.ink : this._theme.soft;
    context.stroke();
  },

  _paintGlow(context, mark, point, radius, time) {
    const share = (time - mark.glowFrom) / glowMs;
    if (share >= 1) {
      mark.glowFrom = 0;
      return false;
    }
    context.beginPath();
    context.arc(point.x, point.y, radius + share * 14, 0, 2 * Math.PI);
    context.globalAlpha = (1 - share) * .7;
    context.lineWidth = 2;
    context.strokeStyle = this._theme.accent;
    context.stroke();
    context.globalAlpha = 1;
    return true;
  },

  _paintCluster(context, cluster) {
    const point = this._map.latLngToLayerPoint([cluster.lat, cluster.lon]);
    const radius = clusterRadius(cluster.count);
    const ring = cluster.layer && colour(cluster.layer, cluster.value);
    context.beginPath();
    context.arc(point.x, point.y, radius, 0, 2 * Math.PI);
    context.fillStyle = this._theme.paper;
    context.fill();
    context.lineWidth = ring ? 5 : 2;
    context.strokeStyle = ring || this._theme.soft;
    context.stroke();
    if (ring) {
      context.beginPath();
      context.arc(point.x, point.y, radius + 2.75, 0, 2 * Math.PI);
      context.lineWidth = 1;
      context.strokeStyle = this._theme.ink;
      context.stroke();
    }
    context.font = `700 12px ${this._theme.font}`;
    context.textAlign = "center";
    context.textBaseline = "middle";
    context.fillStyle = this._theme.ink;
    context.fillText(cluster.count < 10_000 ? count(cluster.count) : `${count(Math.round(cluster.count / 1000))}k`, point.x, point.y + .5);
  },

  _paintLabel(context, label, x, y) {
    context.font = `600 12px ${this._theme.font}`;
    context.textAlign = "left";
    context.textBaseline = "middle";
    context.lineWidth = 3;
    context.strokeStyle = this._theme.paper;
    context.strokeText(label, x, y);
    context.fillStyle = this._theme.ink;
    context.fillText(label, x, y);
  },
});

const clusterRadius = (size) => 11 + Math.min(15, 3.2 * Math.log10(size) * 1.6);

function trace(context, corners, { x, y }, radius) {
  context.beginPath();
  if (corners.length === 0) context.arc(x, y, radius, 0, 2 * Math.PI);
  else corners.forEach(([dx, dy], index) => (index ? context.lineTo(x + dx * radius, y + dy * radius) : context.moveTo(x + dx * radius, y + dy * radius)));
  context.closePath();
}
