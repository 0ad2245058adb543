mod mediate;
mod oracle;
mod support;
mod truth;
mod world;
