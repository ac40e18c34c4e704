"""Secrets that only what stands beside them gives away: keys without a prefix, passwords, credentials in addresses."""

from base64 import b64encode
from urllib.parse import quote

from .values import ALNUM, BASE32, BASE64, HEX, LOWNUM, UPPER


def keys(v):
    """Class: (maker, names). Many of the services have no rule of their own."""
    a, u, h = v.alnum, v.url64, v.hex
    low = lambda n: v.some(LOWNUM, n)
    return {
        "aws-secret": (lambda: v.some(BASE64, 39) + v.one(*ALNUM), ["aws_secret_access_key", "secret_access_key"]),
        "mistral": (lambda: a(32), ["mistral_api_key"]),
        "cohere": (lambda: a(40), ["cohere_api_key", "co_api_key"]),
        "deepgram": (lambda: h(40), ["deepgram_api_key"]),
        "assemblyai": (lambda: h(32), ["assemblyai_api_key"]),
        "wandb": (lambda: h(40), ["wandb_api_key"]),
        "together-legacy": (lambda: h(64), ["together_api_key"]),
        "azure-openai": (lambda: v.one(h(32), a(84)), ["azure_openai_api_key"]),
        "datadog": (lambda: v.one(h(32), h(40)), ["datadog_api_key", "dd_app_key"]),
        "algolia": (lambda: h(32), ["algolia_admin_key"]),
        "fastly": (lambda: u(32), ["fastly_api_token"]),
        "linode": (lambda: h(64), ["linode_token"]),
        "hetzner": (lambda: a(64), ["hcloud_token"]),
        "vultr": (lambda: v.some(BASE32, 36), ["vultr_api_key"]),
        "twilio-auth": (lambda: h(32), ["twilio_auth_token"]),
        "postmark": (lambda: v.uuid(), ["postmark_server_token", "postmark_api_token"]),
        "heroku-uuid": (lambda: v.uuid(), ["heroku_api_key"]),
        "pagerduty": (lambda: u(20), ["pagerduty_api_key"]),
        "trello": (lambda: h(64), ["trello_token"]),
        "okta": (lambda: "00" + u(40), ["okta_api_token"]),
        "auth0": (lambda: u(64), ["auth0_client_secret"]),
        "snyk": (lambda: v.uuid(), ["snyk_token"]),
        "codecov": (lambda: v.uuid(), ["codecov_token"]),
        "binance": (lambda: a(64), ["binance_api_secret"]),
        # services without a rule
        "shodan": (lambda: a(32), ["shodan_api_key"]),
        "virustotal": (lambda: h(64), ["virustotal_api_key", "vt_api_key"]),
        "openweather": (lambda: h(32), ["openweathermap_api_key", "owm_api_key"]),
        "tmdb": (lambda: h(32), ["tmdb_api_key"]),
        "newsapi": (lambda: h(32), ["news_api_key"]),
        "giphy": (lambda: a(32), ["giphy_api_key"]),
        "ipinfo": (lambda: h(14), ["ipinfo_token"]),
        "abuseipdb": (lambda: h(80), ["abuseipdb_api_key"]),
        "censys": (lambda: a(32), ["censys_api_secret"]),
        "acme-internal": (lambda: v.one(a(24), h(48), low(40), v.bytes64(32), v.bytes64url(24)), ["acme_api_key", "billing_service_token", "internal_auth_token", "partner_client_secret"]),
        # frameworks
        "django": (lambda: "django-" + "insecure-" + v.some(LOWNUM + "!@#$%^&*(-_=+)", 49) + v.one(*LOWNUM), ["secret_key"]),
        "flask": (lambda: v.one(h(48), u(43)), ["flask_secret_key", "secret_key"]),
        "laravel": (lambda: "base" + "64:" + v.bytes64(32), ["app_key"]),
        "rails-master": (lambda: h(32), ["rails_master_key"]),
        "rails-base": (lambda: h(128), ["secret_key_base"]),
        "jwt-secret": (lambda: v.one(v.bytes64(48), a(40), h(64)), ["jwt_secret", "nextauth_secret", "session_secret"]),
        "webhook": (lambda: v.one(h(40), a(32)), ["webhook_secret", "signing_secret"]),
        "encryption": (lambda: v.one(v.bytes64(32), h(64)), ["encryption_key", "master_key", "aes_key"]),
        "eth-private": (lambda: v.one("0x", "") + h(64), ["wallet_private_key", "deployer_private_key"]),
        "totp": (lambda: v.some(BASE32, 32), ["totp_secret", "mfa_secret"]),
        "fal": (lambda: f"{v.uuid()}:{h(32)}", ["fal_key"]),
        "line": (lambda: v.bytes64(126) + "=="[:2], ["line_channel_access_token"]),
        "session": (lambda: v.one(low(32), a(43)), ["session_token", "csrf_token"]),
    }


PASSWORD_NAMES = [
    "password", "db_password", "smtp_password", "admin_password", "passwd", "user_password", "root_password", "redis_password",
    "pwd", "passphrase", "db_pass", "mysql_root_password", "keystore_password", "ldap_bind_password", "mail_pass",
]

# `{v}`: the password, which alone is labelled.
PASSWORD_TEXTS = [
    ("prose", "The admin password is {v}"), ("prose", "my password is {v} and it does not work"), ("prose", "Login: dana, password: {v}"),
    ("prose", "The password for the staging database is {v}."), ("prose", "use password {v} to log in"), ("prose", "Password:\n{v}\n"),
    ("prose", "I changed the root password to {v}, please update the vault."), ("prose", "username admin password {v}"),
    ("prose", "user: svc_orders\npass: {v}\nhost: db.acme-freight.net"), ("prose", "Wi-Fi password: {v}"), ("prose", "The temporary password was \"{v}\"."),
    ("prose", "Passwort: {v}"), ("prose", "Das Kennwort lautet {v}"), ("prose", "contraseña: {v}"), ("prose", "mot de passe : {v}"),
    ("prose", "kata laluan: {v}"), ("prose", "пароль: {v}"), ("prose", "密码：{v}"), ("prose", "senha: {v}"), ("prose", "パスワードは {v} です"),
    ("shell", "mysql -u root -p'{v}' orders"), ("shell", "sshpass -p '{v}' ssh root@host"), ("shell", "curl -u 'deploy:{v}' https://git.acme-freight.net/api"),
    ("shell", "PGPASSWORD='{v}' psql -h db -U app"), ("shell", "docker login -u ci --password '{v}' registry.acme-freight.net"),
    ("shell", "redis-cli -h cache -a '{v}' ping"), ("shell", "mongosh --username app --password '{v}' db.internal"),
    ("shell", "keytool -genkey -storepass '{v}' -keyalg RSA"), ("shell", "openssl rsa -in k.pem -passin pass:{v}"),
    ("code", "conn = psycopg2.connect(host='db', user='app', password='{v}')"), ("code", "DriverManager.getConnection(url, \"app\", \"{v}\"); // password"),
    ("code", "dataSource.setPassword(\"{v}\");"), ("code", "'PASSWORD': '{v}',"), ("code", "$config['db_password'] = '{v}';"),
    ("code", "define('DB_PASSWORD', '{v}');"), ("code", "ALTER USER app WITH PASSWORD '{v}';"), ("code", "CREATE USER 'app'@'%' IDENTIFIED BY '{v}';"),
    ("config", "spring.datasource.password={v}"), ("config", "requirepass {v}"), ("config", "<password>{v}</password>"), ("config", "<add key=\"DbPassword\" value=\"{v}\" />"),
    ("config", "machine git.acme-freight.net login ci password {v}"), ("config", "  - name: DB_PASSWORD\n    value: \"{v}\""),
    ("config", "ansible_ssh_pass: {v}"), ("config", "ENV MYSQL_ROOT_PASSWORD={v}"), ("config", "variable \"db_password\" {{\n  default = \"{v}\"\n}}"),
    ("log", "2026-11-22 10:00:00 DEBUG connecting with user=app password={v} host=db"), ("log", "Nov 22 10:00:01 web app[77]: login failed: {{\"user\":\"dana\",\"password\":\"{v}\"}}"),
    ("shell", "kubectl create secret generic db --from-literal=password={v} -n prod"), ("shell", "helm install pg bitnami/postgresql --set auth.postgresPassword={v}"), ("shell", "java -Ddb.password={v} -jar app.jar"),
    ("shell", "echo '{v}' | sudo -S ls"), ("shell", "chpasswd <<< 'root:{v}'"), ("shell", "htpasswd -b .htpasswd dana {v}"), ("shell", "echo {v} | docker login -u ci --password-stdin"),
    ("code", "requests.get(url, auth=('deploy', '{v}'))"), ("code", "auth = HTTPBasicAuth('deploy', '{v}')"), ("code", "new NetworkCredential(\"svc\", \"{v}\")"), ("code", "smtp.login('svc@acme-freight.net', '{v}')"),
    ("prose", "login: admin / {v}"), ("prose", "user/pass: svc_app / {v}"), ("prose", "ssh root@10.0.0.4 with password {v}"), ("prose", "Here are the creds -> username: root password: {v}"), ("prose", "The wifi passphrase is {v}"),
    ("http", "POST /login HTTP/1.1\r\nContent-Type: application/x-www-form-urlencoded\r\n\r\nusername=dana&password={q}&next=%2F"),
]

# Where a symbol of the value would change what the text means there.
UNQUOTED = set(" '\"`<>\\;,&|(){}[]")


def password_items(v, count):
    for _ in range(count):
        context, template = v.r.choice(PASSWORD_TEXTS)
        value = v.password()
        if "{q}" in template:
            value = quote(value, safe="")
        yield "password", context, template.replace("{{", "{").replace("}}", "}").replace("{q}", "{v}"), value


def basic(pair):
    return b64encode(pair.encode()).decode()


def uris(v):
    """Connection strings: (class, template, secret). `{v}` is what is labelled: the whole address where it is one."""
    word = lambda: quote(v.password(), safe="!$*-._~") if v.r.random() < 0.5 else v.alnum(9, 18)
    plain = lambda: v.alnum(8, 14) + v.one("!", "#", "$", "x", "")
    host = lambda: v.one("db.internal", "10.2.3.4", "pg-0.prod.svc.cluster.local", "orders.x9k2.mongodb.net", "cache.acme-freight.net", "mq.northwind.io")
    user = lambda: v.one("app", "svc_orders", "root", "admin", "reader")
    out = []

    def whole(name, scheme, port, path):
        address = f"{scheme}://{user()}:{word()}@{host()}{':' + str(port) if v.r.random() < 0.7 else ''}{path}"
        out.append((name, "{v}", address))

    for scheme in ("postgres", "postgresql", "postgresql+psycopg2", "postgresql+asyncpg", "cockroachdb"):
        whole("uri-postgres", scheme, 5432, v.one("/orders", "/prod?sslmode=require", ""))
    for scheme in ("mysql", "mysql+pymysql", "mariadb", "mysql2"):
        whole("uri-mysql", scheme, 3306, "/orders")
    for scheme in ("mongodb", "mongodb+srv"):
        whole("uri-mongodb", scheme, 27017, v.one("/prod?retryWrites=true&w=majority", "/admin"))
    for scheme in ("redis", "rediss", "valkey"):
        whole("uri-redis", scheme, 6379, "/0")
    out.append(("uri-redis", "{v}", f"redis://:{word()}@cache:6379/0"))
    for scheme in ("amqp", "amqps", "nats", "mqtt", "mqtts", "stomp", "kafka"):
        whole("uri-queue", scheme, 5672, v.one("/", "", "/prod"))
    for scheme in ("ldap", "ldaps", "smtp", "smtps", "imap", "imaps", "ftp", "sftp", "ssh"):
        whole("uri-others", scheme, 389, "")
    for scheme in ("clickhouse", "mssql", "sqlserver", "mssql+pyodbc", "snowflake", "oracle", "oracle+cx_oracle", "neo4j", "bolt", "influxdb", "elasticsearch", "couchbase", "cassandra", "db2", "trino", "redshift", "vertica", "hive", "odbc"):
        whole("uri-databases", scheme, 9000, "/db")
    for scheme in ("http", "https", "git+https", "socks5", "svn+ssh", "ws", "wss", "rtsp"):
        whole("uri-web", scheme, 8443, v.one("/repo.git", "/api/v1", "/simple"))
    out += [
        ("uri-github-token", "git clone {v} .", "https://" + v.one("x-access-token", "oauth2", "dana") + ":" + "gh" + "p_" + v.alnum(36) + "@github.com/acme/infra.git"),
        ("jdbc", f"jdbc:postgresql://{host()}:5432/orders?user=app&password={{v}}&ssl=true", word()),
        ("jdbc", f"jdbc:mysql://{host()}:3306/orders?user=root&password={{v}}", word()),
        ("jdbc", f"jdbc:sqlserver://{host()}:1433;databaseName=orders;user=sa;password={{v}};encrypt=true", plain()),
        ("jdbc", f"jdbc:oracle:thin:scott/{{v}}@//{host()}:1521/svc", plain()),
        ("dsn", f"host={host()} port=5432 dbname=orders user=app password={{v}} sslmode=require", plain()),
        ("dsn", f"host={host()} dbname=orders user=app password='{{v}}'", v.password()),
        ("ado", f"Server=tcp:acme.database.windows.net,1433;Initial Catalog=orders;User ID=app;Password={{v}};Encrypt=True;", v.password()),
        ("ado", f"Data Source={host()};Initial Catalog=orders;User Id=sa;Password={{v}};", v.password()),
        ("ado", f"Server={host()};Database=orders;Uid=app;Pwd={{v}};", v.password()),
        ("odbc", f"Driver={{ODBC Driver 18 for SQL Server}};Server={host()};Uid=app;Pwd={{v}};", v.password()),
        ("odbc", f"DRIVER={{PostgreSQL Unicode}};SERVER={host()};UID=app;PWD={{v}};PORT=5432", plain()),
        ("stackexchange-redis", "acme.redis.cache.windows.net:6380,password={v},ssl=True,abortConnect=False", v.bytes64(32)),
        ("azure-storage", "DefaultEndpointsProtocol=https;AccountName=acmelogs;AccountKey={v};EndpointSuffix=core.windows.net", v.bytes64(64)),
        ("azure-servicebus", "Endpoint=sb://acme.servicebus.windows.net/;SharedAccessKeyName=RootManageSharedAccessKey;SharedAccessKey={v}", v.bytes64(32)),
        ("azure-iothub", "HostName=acme.azure-devices.net;SharedAccessKeyName=iothubowner;SharedAccessKey={v}", v.bytes64(32)),
        ("azure-sas", "https://acmelogs.blob.core.windows.net/c?sv=2024-11-04&ss=b&srt=sco&sp=rwdl&se=2027-01-01T00:00:00Z&sig={v}", quote(v.some(BASE64, 43) + "=", safe="")),
        ("azure-cosmos", "AccountEndpoint=https://acme.documents.azure.com:443/;AccountKey={v};", v.bytes64(64)),
        ("azure-eventhub", "Endpoint=sb://acme.servicebus.windows.net/;SharedAccessKeyName=send;SharedAccessKey={v};EntityPath=hub", v.bytes64(32)),
        ("kafka-jaas", "sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required username=\"app\" password=\"{v}\";", v.alnum(24)),
        ("sqlplus", f"sqlplus scott/{{v}}@//{host()}:1521/svc", plain()),
        ("npmrc", "//registry.acme-freight.net/:_authToken={v}", v.alnum(36)),
        ("npmrc", "//registry.acme-freight.net/:_password={v}", v.bytes64(18)),
        ("docker-auth", "{{\"auths\": {{\"registry.acme-freight.net\": {{\"auth\": \"{v}\"}}}}}}".replace("{{", "{").replace("}}", "}"), basic(f"ci:{v.alnum(18)}")),
        ("basic-header", "Authorization: Basic {v}", basic(f"deploy:{v.alnum(16)}")),
        ("bearer-header", "Authorization: Bearer {v}", v.one(v.alnum(40), v.hex(64), v.url64(43))),
        ("token-header", v.one("X-Api-Key", "X-Auth-Token", "Api-Key", "apikey", "X-Access-Token", "Ocp-Apim-Subscription-Key", "Private-Token", "X-Vault-Token") + ": {v}", v.one(v.alnum(32), v.hex(32), v.url64(36))),
        ("cookie", v.one("Cookie: sessionid=", "Set-Cookie: JSESSIONID=", "Cookie: theme=dark; connect.sid=", "Cookie: PHPSESSID=") + "{v}", v.one(v.some(LOWNUM, 32), v.hex(32).upper())),
        ("url-token", v.one("https://api.acme-freight.net/v1/orders?api_key={v}&page=2", "https://hooks.acme-freight.net/in?token={v}", "GET /v1/me?access_token={v} HTTP/1.1", "https://acme.net/cb#access_token={v}&expires_in=3600", "wss://stream.acme.net/?auth={v}"), v.one(v.alnum(32), v.hex(40))),
        ("reset-link", "https://acme-freight.net/reset-password?token={v}", v.url64(43)),
        ("signed-url", "https://b.s3.amazonaws.com/k?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Date=20261122T100000Z&X-Amz-Expires=900&X-Amz-Signature={v}", v.hex(64)),
        ("wireguard", "[Interface]\nPrivateKey = {v}\nAddress = 10.0.0.2/32", v.some(BASE64, 42) + v.one(*"AEIMQUYcgkosw048") + "="),
        ("gcp-sa-field", "\"private_key_id\": \"0a1b\", \"private_key\": \"{v}\\n\", \"client_email\": \"x@y.iam.gserviceaccount.com\"", v.pem("PRIVATE KEY", 25).replace("\n", "\\n")),
        ("pem-escaped", "PRIVATE_KEY=\"{v}\"", v.pem("RSA PRIVATE KEY", 12).replace("\n", "\\n")),
        ("pem-indented", "tls:\n  key: |\n    {v}\n", v.pem("EC PRIVATE KEY", 3).replace("\n", "\n    ")),
        ("pem-quoted", "key:\n> {v}\n", v.pem("PRIVATE KEY", 6).replace("\n", "\n> ")),
        ("pem-one-line", "key={v}", v.pem("PRIVATE KEY", 12).replace("\n", " ")),
        ("pem-truncated", "{v}\n", v.pem("RSA PRIVATE KEY", 12).split("\n-----END")[0]),
    ]
    return out
