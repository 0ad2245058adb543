mod mediate;
mod oracle;
mod reconcile;
mod support;
mod truth;
mod world;
