// What every page does beside htmx: dialogs, keys, selection, the age of times.
import "./dialogs.js";
import "./keys.js";
import "./selection.js";
import "./ages.js";
import "./waves.js";
