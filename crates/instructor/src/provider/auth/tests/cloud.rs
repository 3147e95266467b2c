//! The exchanges with token services, as scripts: nothing here leaves the process.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use ring::signature::{RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey};
use serde_json::{Value, json};

use super::super::aws::Aws;
use super::super::{Entra, Google, google};
use super::*;
use crate::error::ErrorKind;
use crate::run::Retry;
use crate::testing::{Reply, Script, Sent};

/// Asks a model with what a source gives: what was sent, the last of which is the question, and where it fails, why.
fn asked(spec: &str, source: impl CredentialSource + 'static, replies: &[Reply]) -> (Vec<Sent>, Option<Error>) {
    let script = replies.iter().fold(Script::new(), |script, reply| script.reply(reply.clone()));
    let script = script.reply(Reply::value("hello"));
    let client = script.builder(spec).credentials(source).retry(Retry::never()).build().unwrap();
    let error = script.block_on(client.create::<String>("Say hello")).err();
    if let Some(error) = &error {
        let shown = format!("{error} {error:?}");
        assert!(!shown.contains("hush"), "{shown}");
    }
    (script.sent(), error)
}

fn error(spec: &str, source: impl CredentialSource + 'static, replies: &[Reply]) -> (ErrorKind, String) {
    let error = asked(spec, source, replies).1.expect("an error");
    (error.kind(), error.to_string())
}

fn fields(sent: &Sent) -> Vec<(String, String)> {
    let body = String::from_utf8(sent.body().to_vec()).unwrap();
    let text = |part: &str| {
        let mut bytes = Vec::new();
        let mut rest = part.bytes();
        while let Some(byte) = rest.next() {
            let hex = |rest: &mut std::str::Bytes<'_>| char::from(rest.next().unwrap()).to_digit(16).unwrap() as u8;
            bytes.push(if byte == b'%' { 16 * hex(&mut rest) + hex(&mut rest) } else { byte });
        }
        String::from_utf8(bytes).unwrap()
    };
    body.split('&').filter_map(|pair| pair.split_once('=')).map(|(name, value)| (text(name), text(value))).collect()
}

fn field(sent: &Sent, name: &str) -> String {
    fields(sent).into_iter().find(|(key, _)| key == name).unwrap_or_else(|| panic!("{name}")).1
}

fn token(token: &str) -> Reply {
    Reply::json(json!({ "access_token": token, "expires_in": 3599, "token_type": "Bearer" }))
}

mod entra {
    use super::*;

    const SPEC: &str = "azure_openai/m";

    fn here() -> Pretend {
        Pretend::default().with("AZURE_TENANT_ID", "t").with("AZURE_CLIENT_ID", "c")
    }

    fn entra(here: Pretend) -> Entra {
        Entra::at(Arc::new(here))
    }

    #[test]
    fn an_application_has_a_secret() {
        let here = here().with("AZURE_CLIENT_SECRET", "hush+1");
        let (sent, error) = asked(SPEC, entra(here.clone()), &[token("eyJ0")]);
        assert!(error.is_none());
        assert_eq!(sent[0].url(), "https://login.microsoftonline.com/t/oauth2/v2.0/token");
        assert_eq!(sent[0].header("content-type"), Some("application/x-www-form-urlencoded"));
        let pairs = [
            ("grant_type", "client_credentials"),
            ("client_id", "c"),
            ("scope", "https://cognitiveservices.azure.com/.default"),
            ("client_secret", "hush+1"),
        ];
        assert_eq!(fields(&sent[0]), pairs.map(|(name, value)| (String::from(name), String::from(value))));
        assert_eq!((sent[1].header("authorization"), sent[1].header("api-key")), (Some("Bearer eyJ0"), None));

        let elsewhere = entra(here.with("AZURE_AUTHORITY_HOST", "https://login.microsoftonline.us/"));
        let (sent, _) = asked(SPEC, elsewhere.with_scope("https://ai.azure.us/.default"), &[token("x")]);
        assert_eq!(sent[0].url(), "https://login.microsoftonline.us/t/oauth2/v2.0/token");
        assert_eq!(field(&sent[0], "scope"), "https://ai.azure.us/.default");
    }

    #[test]
    fn a_workload_has_a_file_that_is_read_each_time() {
        let here = here().with("AZURE_FEDERATED_TOKEN_FILE", "/var/token").with_file("/var/token", "one\n");
        let script = Script::new()
            .reply(Reply::json(json!({ "access_token": "a", "expires_in": "100" })))
            .reply(Reply::value("x").after(Duration::from_secs(90)))
            .reply(token("b"))
            .reply(Reply::value("x"));
        let client = script.builder(SPEC).credentials(entra(here.clone())).build().unwrap();
        let _: String = script.block_on(client.create("x")).unwrap();
        let _ = here.with_file("/var/token", "two\n");
        let _: String = script.block_on(client.create("x")).unwrap();
        let sent = script.sent();
        assert_eq!(field(&sent[0], "client_assertion"), "one");
        assert_eq!(field(&sent[0], "client_assertion_type"), "urn:ietf:params:oauth:client-assertion-type:jwt-bearer");
        assert_eq!(field(&sent[2], "client_assertion"), "two");
        assert_eq!(sent[3].header("authorization"), Some("Bearer b"));
    }

    #[test]
    fn an_app_service_and_a_machine_have_an_identity() {
        let here = || Pretend::default().with("AZURE_CLIENT_ID", "mine");
        let app = here().with("IDENTITY_ENDPOINT", "http://127.0.0.1:4141/token").with("IDENTITY_HEADER", "hush");
        let reply = Reply::json(json!({ "access_token": "a", "expires_on": "4000" }));
        let (sent, _) = asked(SPEC, entra(app), std::slice::from_ref(&reply));
        let asked_for = "resource=https%3A%2F%2Fcognitiveservices.azure.com&client_id=mine";
        assert_eq!(sent[0].url(), format!("http://127.0.0.1:4141/token?api-version=2019-08-01&{asked_for}"));
        assert_eq!(sent[0].header("x-identity-header"), Some("hush"));

        let (sent, _) = asked(SPEC, entra(here()), &[Reply::fault(crate::TransportErrorKind::Timeout), reply]);
        let url = format!("http://169.254.169.254/metadata/identity/oauth2/token?api-version=2018-02-01&{asked_for}");
        assert_eq!([sent[0].url(), sent[1].url()], [url.clone(), url]);
        assert_eq!((sent[1].header("metadata"), sent[1].timeout()), (Some("true"), Some(Duration::from_secs(3))));
        assert_eq!(sent[2].header("authorization"), Some("Bearer a"));
    }

    #[test]
    fn errors_say_what_to_do() {
        let secret = || entra(here().with("AZURE_CLIENT_SECRET", "hush"));
        let said =
            json!({ "error": "invalid_client", "error_description": "AADSTS7000215: Invalid client secret\r\n" });
        let (kind, text) = error(SPEC, secret(), &[Reply::json(said).with_status(401)]);
        assert_eq!(kind, ErrorKind::Auth);
        for part in ["the application c of Entra ID", "invalid_client: AADSTS7000215", "check AZURE_TENANT_ID"] {
            assert!(text.contains(part), "{text}");
        }
        assert_eq!(error(SPEC, secret(), &[Reply::status(429)]).0, ErrorKind::RateLimited);
        assert_eq!(error(SPEC, secret(), &[Reply::status(503)]).0, ErrorKind::Overloaded);
        assert_eq!(error(SPEC, secret(), &[Reply::body("<html>")]).0, ErrorKind::Malformed);
        assert_eq!(error(SPEC, secret(), &[Reply::json(json!({}))]).0, ErrorKind::Malformed);
        let (kind, text) = error(SPEC, entra(here().with("AZURE_FEDERATED_TOKEN_FILE", "/gone")), &[]);
        assert_eq!(kind, ErrorKind::Config);
        assert!(text.contains("/gone") && text.contains("AZURE_FEDERATED_TOKEN_FILE"), "{text}");
        let away = Reply::fault(crate::TransportErrorKind::Connect);
        let (kind, text) = error(SPEC, entra(Pretend::default()), &[away.clone(), away]);
        assert_eq!(kind, ErrorKind::Config);
        for part in ["AZURE_CLIENT_SECRET", "IDENTITY_ENDPOINT", "169.254.169.254", "connection failed", "credentials)"]
        {
            assert!(text.contains(part), "{text}");
        }
    }

    #[test]
    fn a_ready_token_lies_in_the_environment() {
        let profile = Profile::named("azure_openai").unwrap();
        let here =
            Pretend::default().with("AZURE_OPENAI_ENDPOINT", "https://a.example").with("AZURE_OPENAI_AD_TOKEN", "t1");
        let access = profile.access_from(Given::Nothing, None, Arc::new(here.clone())).unwrap();
        assert!(access.keyring.is_some() && access.key.is_none());
        let token = Variable { here: Arc::new(here.clone()), name: "AZURE_OPENAI_AD_TOKEN" };
        let script = Script::new().reply(Reply::status(401)).reply(Reply::value("x"));
        let _ = here.clone().with("AZURE_OPENAI_AD_TOKEN", "t2");
        let client = script.builder(SPEC).credentials(token).build().unwrap();
        let failed = script.block_on(client.create::<String>("x")).unwrap_err();
        assert!(failed.to_string().contains("came from AZURE_OPENAI_AD_TOKEN"), "{failed}");
        // A key wins.
        let access =
            profile.access_from(Given::Nothing, None, Arc::new(here.with("AZURE_OPENAI_API_KEY", "k"))).unwrap();
        assert!(access.key.is_some());
    }
}

mod google_cloud {
    use super::*;

    const SPEC: &str = "vertexai/m";
    const CASE: &str = include_str!("../../../../tests/data/auth/service_account.json");
    const FILE: &str = "/home/me/.config/gcloud/application_default_credentials.json";

    fn case() -> Value {
        serde_json::from_str(CASE).unwrap()
    }

    fn verifies(text: &str, signature: &str) -> bool {
        let key = STANDARD.decode(case()["public_key"].as_str().unwrap()).unwrap();
        let key = UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, key);
        key.verify(text.as_bytes(), &URL_SAFE_NO_PAD.decode(signature).unwrap()).is_ok()
    }

    fn google(here: Pretend) -> Google {
        Google::at(Arc::new(here))
    }

    #[test]
    fn signatures_are_those_of_others() {
        let case = case();
        let (text, pem) = (case["text"].as_str().unwrap(), case["account"]["private_key"].as_str().unwrap());
        let signature = google::signature(pem, text).unwrap();
        assert_eq!(signature, case["signature"].as_str().unwrap());
        assert!(verifies(text, &signature) && !verifies("header.claimz", &signature));
        assert!(google::signature("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----", text).is_none());
    }

    #[test]
    fn a_service_account_signs_for_itself() {
        let account = case()["account"].to_string();
        let here =
            Pretend::default().with("GOOGLE_APPLICATION_CREDENTIALS", "/key.json").with_file("/key.json", account);
        assert_eq!(google::project(&here).as_deref(), Some("example-project"));
        let script = Script::new()
            .reply(token("a"))
            .reply(Reply::value("x").after(Duration::from_secs(500)))
            .reply(Reply::status(401))
            .reply(token("b"))
            .reply(Reply::value("x"));
        let client = script.builder(SPEC).credentials(google(here).with_scope("s")).build().unwrap();
        for _ in 0..2 {
            let _: String = script.block_on(client.create("x")).unwrap();
        }
        let sent = script.sent();
        assert_eq!(sent[0].url(), "https://oauth2.googleapis.com/token");
        assert_eq!(field(&sent[0], "grant_type"), "urn:ietf:params:oauth:grant-type:jwt-bearer");
        for (sent, at) in [(&sent[0], 0), (&sent[3], 500)] {
            let assertion = field(sent, "assertion");
            let (text, signature) = assertion.rsplit_once('.').unwrap();
            assert!(verifies(text, signature));
            let parts: Vec<Value> = text
                .split('.')
                .map(|part| serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap())
                .collect();
            let claims = json!({
                "iss": "robot@example-project.iam.gserviceaccount.com", "scope": "s",
                "aud": "https://oauth2.googleapis.com/token", "iat": at, "exp": at + 3600,
            });
            assert_eq!(parts, [json!({ "alg": "RS256", "typ": "JWT", "kid": "0123abcd" }), claims]);
        }
        let tokens: Vec<&str> = [1, 2, 4].iter().map(|n| sent[*n].header("authorization").unwrap()).collect();
        assert_eq!(tokens, ["Bearer a", "Bearer a", "Bearer b"]);
        assert_eq!(sent[1].header("x-goog-user-project"), None);
    }

    #[test]
    fn who_is_logged_in_has_a_file_of_gcloud() {
        let file = json!({ "type": "authorized_user", "client_id": "c", "client_secret": "hush", "refresh_token": "hush2",
            "quota_project_id": "pays" });
        let here = Pretend::default().with_file(FILE, file.to_string());
        assert_eq!(google::project(&here).as_deref(), Some("pays"));
        let (sent, failed) = asked(SPEC, google(here.clone()), &[token("a")]);
        assert!(failed.is_none());
        let pairs: Vec<String> = fields(&sent[0]).into_iter().map(|(name, value)| format!("{name}={value}")).collect();
        assert_eq!(pairs, ["grant_type=refresh_token", "client_id=c", "client_secret=hush", "refresh_token=hush2"]);
        assert_eq!(sent[1].header("x-goog-user-project"), Some("pays"));
        let ended = Reply::json(json!({ "error": "invalid_grant", "error_description": "Token has been expired" }));
        let (kind, text) = error(SPEC, google(here), &[ended.with_status(400)]);
        assert_eq!(kind, ErrorKind::Auth);
        assert!(text.contains("invalid_grant") && text.contains("gcloud auth application-default login"), "{text}");
        assert!(text.contains(FILE), "{text}");
    }

    #[test]
    fn a_machine_has_a_metadata_server() {
        let (sent, failed) = asked(SPEC, google(Pretend::default()), &[token("a")]);
        assert!(failed.is_none());
        let path = "/computeMetadata/v1/instance/service-accounts/default/token";
        assert_eq!(sent[0].url(), format!("http://metadata.google.internal{path}"));
        assert_eq!(sent[0].header("metadata-flavor"), Some("Google"));
        let (sent, _) = asked(SPEC, google(Pretend::default().with("GCE_METADATA_HOST", "10.0.0.1:80")), &[token("a")]);
        assert_eq!(sent[0].url(), format!("http://10.0.0.1:80{path}"));
        let (kind, text) = error(SPEC, google(Pretend::default()), &[Reply::status(404)]);
        assert!(kind == ErrorKind::Auth && text.contains("give the machine a service account"), "{text}");
    }

    #[test]
    fn errors_say_what_to_do() {
        let named = || Pretend::default().with("GOOGLE_APPLICATION_CREDENTIALS", "/key.json");
        let away = Reply::fault(crate::TransportErrorKind::Connect);
        let mut account = case()["account"].clone();
        account["private_key"] = json!("hush");
        for (here, parts) in [
            (Pretend::default(), ["GOOGLE_APPLICATION_CREDENTIALS", FILE, "metadata.google.internal"]),
            (named(), ["/key.json", "GOOGLE_APPLICATION_CREDENTIALS", "can't be read"]),
            (named().with_file("/key.json", "hush"), ["/key.json", "no JSON", "gcloud"]),
            (
                named().with_file("/key.json", r#"{"type":"external_account"}"#),
                ["external_account", "gcloud", "(credentials)"],
            ),
            (named().with_file("/key.json", account.to_string()), ["private_key", "/key.json", "PKCS #8"]),
            (named().with_file("/key.json", r#"{"type":"authorized_user"}"#), ["/key.json", "has no", "client_id"]),
        ] {
            let (kind, text) = error(SPEC, google(here), &[away.clone(), away.clone()]);
            assert_eq!(kind, ErrorKind::Config);
            assert!(parts.iter().all(|part| text.contains(part)), "{text}");
        }
        assert!(Google::from_json("{}").is_err());
    }

    #[test]
    fn the_project_is_that_of_the_credentials() {
        let here = || Pretend::default().with_file(FILE, r#"{"type":"authorized_user","quota_project_id":"pays"}"#);
        for id in ["vertexai", "vertexai_anthropic"] {
            let profile = Profile::named(id).unwrap();
            let access = profile.access_from(Given::Nothing, None, Arc::new(here())).unwrap();
            assert!(access.base_url.contains("/projects/pays/locations/global"), "{}", access.base_url);
            assert!(access.base_url.starts_with("https://aiplatform.googleapis.com/"), "{}", access.base_url);
            assert!(access.keyring.is_some());
            let own = here().with("GOOGLE_CLOUD_PROJECT", "mine").with("GOOGLE_OAUTH_ACCESS_TOKEN", "t");
            let access = profile.access_from(Given::Nothing, None, Arc::new(own)).unwrap();
            assert!(access.base_url.contains("/projects/mine/") && access.key.is_some());
        }
    }
}

mod amazon {
    use super::*;

    const SPEC: &str = "bedrock/m";

    fn aws(here: Pretend) -> Aws {
        Aws::at(Arc::new(here))
    }

    fn config(settings: &str) -> Pretend {
        Pretend::default().with_file("/home/me/.aws/config", settings)
    }

    /// The id of the keys that a request was signed with, and the scope.
    fn signed(sent: &Sent) -> &str {
        let header = sent.header("authorization").unwrap();
        header.strip_prefix("AWS4-HMAC-SHA256 Credential=").unwrap().split(',').next().unwrap()
    }

    fn taken(id: &str) -> Reply {
        Reply::body(format!(
            "<AssumeRoleResponse><AssumeRoleResult><Credentials><AccessKeyId>{id}</AccessKeyId>\n\
             <SecretAccessKey>hush</SecretAccessKey><SessionToken>hush2</SessionToken>\
             <Expiration>1970-01-01T01:00:00Z</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>"
        ))
    }

    fn keys(id: &str) -> Reply {
        Reply::json(json!({ "Code": "Success", "AccessKeyId": id, "SecretAccessKey": "hush", "Token": "hush2",
            "Expiration": "1970-01-01T01:00:00Z" }))
    }

    #[test]
    fn a_profile_takes_a_role() {
        let here = config(
            "[profile work]\nrole_arn = arn:aws:iam::1:role/ask\nsource_profile = base\nregion = eu-west-1\n\
             external_id = e-1\nduration_seconds = 900\n[profile base]\naws_access_key_id = AKBASE\n\
             aws_secret_access_key = hush\n",
        );
        let here = here.with("AWS_PROFILE", "work");
        let script = Script::new()
            .reply(taken("ASIA1"))
            .reply(Reply::value("x").after(Duration::from_secs(500)))
            .reply(Reply::value("x").after(Duration::from_secs(2900)))
            .reply(taken("ASIA2"))
            .reply(Reply::value("x"));
        let builder = script.builder(SPEC).timeout(Duration::from_secs(9999)).credentials(aws(here));
        let client = builder.build().unwrap();
        for _ in 0..3 {
            let _: String = script.block_on(client.create("x")).unwrap();
        }
        let sent = script.sent();
        assert_eq!(sent[0].url(), "https://sts.eu-west-1.amazonaws.com/");
        assert_eq!(signed(&sent[0]), "AKBASE/19700101/eu-west-1/sts/aws4_request");
        let pairs: Vec<String> = fields(&sent[0]).into_iter().map(|(name, value)| format!("{name}={value}")).collect();
        let expected = [
            "Action=AssumeRole",
            "Version=2011-06-15",
            "RoleArn=arn:aws:iam::1:role/ask",
            "RoleSessionName=instructor-rs",
            "DurationSeconds=900",
            "ExternalId=e-1",
        ];
        assert_eq!(pairs, expected);
        // At 0, 500 and 3400 seconds: the role ends after an hour.
        let ids: Vec<&str> = [1, 2, 4].iter().map(|n| signed(&sent[*n]).split('/').next().unwrap()).collect();
        assert_eq!(ids, ["ASIA1", "ASIA1", "ASIA2"]);
        assert_eq!(sent[1].header("x-amz-security-token"), Some("hush2"));
    }

    #[test]
    fn roles_lead_to_roles_but_not_in_a_circle() {
        let here = config(
            "[profile a]\nrole_arn=r:a\nsource_profile=b\n[profile b]\nrole_arn=r:b\nsource_profile=b\n\
             aws_access_key_id=AKB\naws_secret_access_key=hush\n[profile c]\nrole_arn=r:c\nsource_profile=d\n\
             [profile d]\nrole_arn=r:d\nsource_profile=c\n[profile e]\nrole_arn=r:e\ncredential_source=Environment\n\
             [profile f]\nrole_arn=r:f\n[profile g]\nrole_arn=r:g\nmfa_serial=m\nsource_profile=b\n",
        );
        let of = |name: &str| aws(here.clone()).named(String::from(name));
        let (sent, _) = asked(SPEC, of("a"), &[taken("ASIAB"), taken("ASIAA")]);
        assert_eq!(field(&sent[0], "RoleArn"), "r:b");
        assert!(signed(&sent[0]).starts_with("AKB/"));
        assert!(signed(&sent[1]).starts_with("ASIAB/") && signed(&sent[2]).starts_with("ASIAA/"));
        for (profile, part) in
            [("c", "circle"), ("e", "no keys to take it with"), ("f", "source_profile"), ("g", "mfa_serial")]
        {
            let (kind, text) = error(SPEC, of(profile), &[]);
            assert!(kind == ErrorKind::Config && text.contains(part), "{text}");
        }
        let no = "<ErrorResponse><Error><Type>Sender</Type><Code>AccessDenied</Code><Message>not authorized</Message>\
                  </Error></ErrorResponse>";
        let (kind, text) = error(SPEC, of("b"), &[Reply::body(no).with_status(403)]);
        assert_eq!(kind, ErrorKind::Auth);
        for part in ["r:b", "AccessDenied: not authorized", "the profile b of ~/.aws"] {
            assert!(text.contains(part), "{text}");
        }
    }

    #[test]
    fn a_workload_has_a_token() {
        let here = Pretend::default()
            .with("AWS_WEB_IDENTITY_TOKEN_FILE", "/token")
            .with("AWS_ROLE_ARN", "r:w")
            .with("AWS_REGION", "cn-north-1")
            .with_file("/token", "eyJ0\n");
        let (sent, failed) = asked(SPEC, aws(here.clone()), &[taken("ASIA")]);
        assert!(failed.is_none());
        assert_eq!(sent[0].url(), "https://sts.cn-north-1.amazonaws.com.cn/");
        assert_eq!(sent[0].header("authorization"), None);
        assert_eq!(field(&sent[0], "Action"), "AssumeRoleWithWebIdentity");
        assert_eq!((field(&sent[0], "WebIdentityToken"), field(&sent[0], "RoleArn")), ("eyJ0".into(), "r:w".into()));
        let own = here.with("AWS_ENDPOINT_URL_STS", "http://localhost:4566").with("AWS_ROLE_SESSION_NAME", "s");
        let (sent, _) = asked(SPEC, aws(own), &[taken("ASIA")]);
        assert_eq!((sent[0].url(), field(&sent[0], "RoleSessionName")), ("http://localhost:4566/".into(), "s".into()));
    }

    #[test]
    fn who_has_signed_on_has_left_a_token() {
        // Its name is the SHA-1 of "corp".
        let file = "/home/me/.aws/sso/cache/ee0bfd2552fbd840c02cc48b6e823320543c450f.json";
        let here = config(
            "[profile sso]\nsso_session = corp\nsso_account_id = 123\nsso_role_name = ask\n[sso-session corp]\n\
             sso_region = us-east-2\nsso_start_url = https://corp.example.com/start\n",
        );
        let here = here.with("AWS_PROFILE", "sso");
        let left = json!({ "accessToken": "hush", "expiresAt": "1970-01-01T00:10:00Z" });
        let reply = Reply::json(json!({ "roleCredentials": { "accessKeyId": "ASIASSO", "secretAccessKey": "hush",
            "sessionToken": "hush2", "expiration": 3_600_000 } }));
        let (sent, failed) = asked(SPEC, aws(here.clone().with_file(file, left.to_string())), &[reply]);
        assert!(failed.is_none(), "{failed:?}");
        let url = "https://portal.sso.us-east-2.amazonaws.com/federation/credentials?role_name=ask&account_id=123";
        assert_eq!((sent[0].url().as_str(), sent[0].header("x-amz-sso_bearer_token")), (url, Some("hush")));
        assert!(signed(&sent[1]).starts_with("ASIASSO/"));
        let ended = json!({ "accessToken": "hush", "expiresAt": "1970-01-01T00:00:00Z" });
        for here in [here.clone(), here.with_file(file, ended.to_string())] {
            let (kind, text) = error(SPEC, aws(here), &[]);
            assert!(kind == ErrorKind::Auth && text.contains("aws sso login --profile sso"), "{text}");
        }
    }

    #[test]
    fn containers_and_machines_have_roles() {
        let here = Pretend::default()
            .with("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "/v2/x")
            .with("AWS_CONTAINER_AUTHORIZATION_TOKEN", "hush");
        let (sent, _) = asked(SPEC, aws(here), &[keys("ASIAC")]);
        assert_eq!(
            (sent[0].url().as_str(), sent[0].header("authorization")),
            ("http://169.254.170.2/v2/x", Some("hush"))
        );
        assert!(signed(&sent[1]).starts_with("ASIAC/"));

        let pod = |url: &str| {
            let here = Pretend::default().with("AWS_CONTAINER_CREDENTIALS_FULL_URI", url).with_file("/t", "hush\n");
            aws(here.with("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", "/t"))
        };
        let (sent, _) = asked(SPEC, pod("http://169.254.170.23/v1/credentials"), &[keys("ASIAP")]);
        assert_eq!(sent[0].header("authorization"), Some("hush"));
        let (kind, text) = error(SPEC, pod("http://far.example.com/"), &[]);
        assert!(kind == ErrorKind::Config && text.contains("AWS_CONTAINER_CREDENTIALS_FULL_URI"), "{text}");

        let replies = [Reply::body("session"), Reply::body("my-role\n"), keys("ASIAI")];
        let (sent, failed) = asked(SPEC, aws(Pretend::default()), &replies);
        assert!(failed.is_none());
        let base = "http://169.254.169.254/latest/meta-data/iam/security-credentials/";
        let urls =
            [String::from("http://169.254.169.254/latest/api/token"), String::from(base), format!("{base}my-role")];
        assert_eq!(sent.iter().take(3).map(Sent::url).collect::<Vec<_>>(), urls);
        assert_eq!(sent[0].header("x-aws-ec2-metadata-token-ttl-seconds"), Some("21600"));
        assert_eq!(sent[2].header("x-aws-ec2-metadata-token"), Some("session"));
        assert!(signed(&sent[3]).starts_with("ASIAI/"));
    }

    #[test]
    fn keys_that_lie_about_win_and_are_read_anew() {
        let here = Pretend::default().with("AWS_ACCESS_KEY_ID", "AK1").with("AWS_SECRET_ACCESS_KEY", "hush");
        let script = Script::new().reply(Reply::value("x")).reply(Reply::status(403)).reply(Reply::value("x"));
        let client = script.builder(SPEC).credentials(aws(here.clone())).build().unwrap();
        let _: String = script.block_on(client.create("x")).unwrap();
        let _ = here.with("AWS_ACCESS_KEY_ID", "AK2");
        let _: String = script.block_on(client.create("x")).unwrap();
        let ids: Vec<String> = script.sent().iter().map(|sent| signed(sent)[..3].into()).collect();
        assert_eq!(ids, ["AK1", "AK1", "AK2"]);
    }

    #[test]
    fn errors_say_what_to_do() {
        let away = Reply::fault(crate::TransportErrorKind::Connect);
        let none = aws(Pretend::default());
        let (kind, text) = error(SPEC, none, &[away.clone(), away]);
        assert_eq!(kind, ErrorKind::Config);
        for part in ["AWS_ACCESS_KEY_ID", "~/.aws", "AWS_WEB_IDENTITY_TOKEN_FILE", "169.254.169.254", "AWS_PROFILE"] {
            assert!(text.contains(part), "{text}");
        }
        let off = aws(Pretend::default().with("AWS_EC2_METADATA_DISABLED", "true"));
        assert!(error(SPEC, off, &[]).1.contains("AWS_EC2_METADATA_DISABLED is set"));
        let gone = aws(Pretend::default().with("AWS_PROFILE", "gone"));
        assert!(error(SPEC, gone, &[]).1.contains("the AWS profile gone has no keys"));
    }
}
