// The same echo in Node: koa and co-wechat, which parse, open and seal by themselves.
import Koa from 'koa';
import wechat from 'co-wechat';

const {WECHAT_TOKEN: token, WECHAT_AES_KEY: encodingAESKey, WECHAT_APPID: appid, PORT} = process.env;
const app = new Koa();
app.use(wechat({token, appid, encodingAESKey}).middleware(async () => 'echo'));
app.listen(Number(PORT), '127.0.0.1');
