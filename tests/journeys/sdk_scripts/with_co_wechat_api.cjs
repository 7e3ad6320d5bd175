// Walks through menus and tags with co-wechat-api as it is; prints what came back as JSON.
"use strict";
const API = require("co-wechat-api");

const given = JSON.parse(process.env.SANDBOX);
const client = new API(given.appid, given.secret);
// The only thing changed: where WeChat's host is.
client.prefix = `${given.host}/cgi-bin/`;

const buttons = (name) => [{ type: "view", name, url: "https://bank.example/z/local" }];
const conditional = (name, matchrule) => ({ button: buttons(name), matchrule });
const sees = async (openid) => (await client.tryConditionalMenu(openid)).button[0].name;

/** The code an action is refused with; 0 when it is not. */
async function code(act) {
  try {
    await act();
  } catch (refused) {
    return refused.code;
  }
  return 0;
}

/** One after the other, as the order of publishing matters. */
async function each(list, act) {
  const found = [];
  for (const [index, item] of list.entries()) found.push(await act(item, index));
  return found;
}

async function walk() {
  const found = { token: Boolean((await client.ensureAccessToken()).accessToken) };
  const tags = await each(given.tags, async (name) => (await client.createTags(name)).tag.id);
  await each(tags, (tag, index) => client.batchTagging([given.openids[index]], tag));
  found.carried = await each(given.openids, async (openid) => (await client.request(
    `${client.prefix}tags/getidlist?access_token=${(await client.ensureAccessToken()).accessToken}`,
    { method: "POST", data: JSON.stringify({ openid }) },
  )).tagid_list);
  const listed = (await client.getTags()).tags;
  found.counts = listed.filter((tag) => tags.includes(tag.id)).map((tag) => tag.count);
  found.before_default = await code(() => client.addConditionalMenu(conditional("早", { tag_id: tags[0] })));
  await client.createMenu({ button: buttons("总行") });
  const ids = await each(given.tags, async (name, index) => (
    await client.addConditionalMenu(conditional(name, { tag_id: String(tags[index]) }))
  ).menuid);
  found.sees = await each(given.openids, sees);
  const menus = (await client.getMenu()).conditionalmenu;
  const reversed = (list) => JSON.stringify(list.map(String).reverse());
  found.newest_first = JSON.stringify(menus.map((menu) => String(menu.menuid))) === reversed(ids);
  found.groups = JSON.stringify(menus.map((menu) => menu.matchrule.group_id)) === reversed(tags);
  found.private = await code(() => client.addConditionalMenu(conditional("女", { tag_id: tags[0], sex: "2" })));
  found.empty = await code(() => client.addConditionalMenu(conditional("空", {})));
  found.duplicate = await code(() => client.createTags(given.tags[0]));
  await each([...Array(100 - tags.length).keys()], (number) => client.createTags(`标签${number}`));
  found.too_many_tags = await code(() => client.createTags("多一个"));
  found.spoilt_batch = await code(() => client.batchTagging([given.openids[0], `o${"x".repeat(27)}`], tags[0]));
  await client.delConditionalMenu(ids[0]);
  found.without_first = await sees(given.openids[0]);
  await client.removeMenu();
  found.all_gone = (await code(() => client.getMenu())) === 46003;
  console.log(JSON.stringify(found));
}

walk().catch((failed) => {
  console.error(failed);
  process.exit(1);
});
