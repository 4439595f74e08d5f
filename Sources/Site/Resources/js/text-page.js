// Pages of text: the colour switch, and ages that stay right while the page is open.
import "./boot.js";
import "./preferences.js";
import { refreshAges } from "./text.js";

for (const moment of document.querySelectorAll("time[datetime]:not([data-plain])")) moment.dataset.age = "";
refreshAges();
setInterval(() => refreshAges(), 5_000);
