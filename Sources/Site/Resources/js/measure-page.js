// The form of a measure: its place on the map. Without it the form works too.
import "./text-page.js";
import { byId } from "./dom.js";
import { placeField } from "./place-field.js";

placeField(byId("measure").querySelector(".place"));
if (byId("faults")) byId("faults").focus();
