// Reads the call log and a mailbox with the official SDK for JavaScript, and prints what it found as JSON.
const { SDK } = require("@ringcentral/sdk");

const { RC_SERVER_URL, RC_CLIENT_ID, RC_CLIENT_SECRET, RC_JWT, RC_FROM, RC_TO, RC_EXTENSION } = process.env;
const sdk = new SDK({ server: RC_SERVER_URL, clientId: RC_CLIENT_ID, clientSecret: RC_CLIENT_SECRET });
const platform = sdk.platform();
const span = { dateFrom: RC_FROM, dateTo: RC_TO };

const read = async (address, query) => (await platform.get(address, query)).json();

// All pages of a list, as its navigation leads.
async function pages(address, query) {
  const found = [await read(address, query)];
  for (;;) {
    const following = found[found.length - 1].navigation.nextPage;
    if (!following) return found;
    found.push(await read(following.uri));
  }
}

const ids = (lists) => lists.flatMap((page) => page.records.map((record) => String(record.id))).sort();

async function main() {
  await platform.login({ jwt: RC_JWT });
  const calls = await pages("/restapi/v1.0/account/~/call-log", { view: "Detailed", showDeleted: true, perPage: 50, ...span });
  const extensions = (await pages("/restapi/v1.0/account/~/extension", { perPage: 5 })).flatMap((page) => page.records);
  const mailbox = String(extensions.find((it) => it.extensionNumber === RC_EXTENSION).id);
  const home = `/restapi/v1.0/account/~/extension/${mailbox}`;
  const messages = await pages(`${home}/message-store`, { messageType: ["SMS", "Fax", "Pager"], availability: ["Alive", "Deleted", "Purged"], perPage: 2, ...span });
  const synced = await read(`${home}/message-sync`, { syncType: "FSync", recordCount: 250, ...span });
  const found = {
    account: String((await read("/restapi/v1.0/account/~")).id),
    pages: calls.length,
    calls: ids(calls),
    extensions: extensions.length,
    mailbox,
    messages: ids(messages),
    synced: ids([synced]),
  };
  await platform.logout();
  found.logged_out = !(await platform.loggedIn());
  console.log(JSON.stringify(found));
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
