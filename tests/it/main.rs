mod differential;
mod oracle;
mod support;
mod truth;
mod world;
