// A bank's single sign-on: the certified oidc-provider on loopback, with its own sign-in pages.
// SETTINGS holds {port, clientId, clientSecret, redirectUri}; the port is printed when it listens.
import Provider from "oidc-provider";

const given = JSON.parse(process.env.SETTINGS);
const issuer = `http://127.0.0.1:${given.port}`;
const provider = new Provider(issuer, {
  clients: [{
    client_id: given.clientId,
    client_secret: given.clientSecret,
    redirect_uris: [given.redirectUri],
    response_types: ["code"],
    grant_types: ["authorization_code"],
  }],
  pkce: { required: () => true },
  // Whoever names themselves on its development sign-in page is taken at their word.
  findAccount: (_ctx, sub) => ({ accountId: sub, claims: () => ({ sub }) }),
  features: { devInteractions: { enabled: true } },
  cookies: { keys: ["only-for-tests"] },
  ttl: { Grant: 600, Interaction: 600, Session: 600, IdToken: 600, AccessToken: 600 },
});
provider.proxy = false;
const server = provider.listen(given.port, "127.0.0.1", () => console.log("listening"));
process.stdin.on("end", () => server.close(() => process.exit(0)));
process.stdin.resume();
