// What every page has: theme, keys, dialogs, local times, live updates.
import "./dialogs.js";
import "./keys.js";
import "./live.js";
import "./theme.js";
import "./times.js";
